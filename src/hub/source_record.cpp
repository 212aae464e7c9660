// SPDX-License-Identifier: Apache-2.0
#include "hub/source_record.hpp"

#include <boost/json/serialize.hpp>

#include "base/strict_json.hpp"
#include "hub/json_answer.hpp"
#include "hub/limits.hpp"

namespace teetee::hub {

std::string encode_source_record(const SourceRecord& record) {
    return boost::json::serialize(boost::json::object{{"version", 1},
                                                      {"source", record.source},
                                                      {"state", record.state},
                                                      {"sha256", record.digest.hex}}) +
           "\n";
}

Result<SourceRecord> parse_source_record(std::string_view text) {
    TT_TRY(const auto value,
           parse_strict_json(text, {.bytes_max = source_record_bytes_max, .depth_max = 2}));
    const auto* object = value.if_object();
    const auto* version = object == nullptr ? nullptr : object->if_contains("version");
    if (version == nullptr || *version != 1)
        return fail(ErrorCode::invalid_json, "record of a source: need version 1");
    SourceRecord out{.source = std::string(text_at(*object, "source")),
                     .state = std::string(text_at(*object, "state"))};
    auto digest = parse_sha256(text_at(*object, "sha256"));
    if (!digest)
        return fail(ErrorCode::invalid_json, "record of a source: " + digest.error().detail);
    out.digest = std::move(*digest);
    return out;
}

}  // namespace teetee::hub
