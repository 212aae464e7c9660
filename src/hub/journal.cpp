// SPDX-License-Identifier: Apache-2.0
#include "hub/journal.hpp"

#include <boost/json/serialize.hpp>

#include "base/strict_json.hpp"
#include "hub/json_answer.hpp"
#include "hub/limits.hpp"

namespace teetee::hub {
namespace {

namespace json = boost::json;

Error malformed(std::string_view what) {
    return fail(ErrorCode::invalid_json, "journal of a download: " + std::string(what));
}

std::string_view kind_name(FileDigest::Kind kind) {
    return kind == FileDigest::Kind::sha256 ? "sha256" : "git";
}

Result<std::optional<FileDigest>> parse_digest(std::string_view text) {
    if (text.empty()) return std::optional<FileDigest>();
    const size_t colon = text.find(':');
    if (colon == text.npos) return malformed("digest");
    const auto kind = text.substr(0, colon);
    const auto hex = text.substr(colon + 1);
    const auto digest = kind == "sha256" ? parse_sha256(hex) : parse_git_blob(hex);
    if (!digest || kind != kind_name(digest->kind)) return malformed("digest");
    return std::optional(*digest);
}

Result<ByteRange> parse_range(const json::value& value, uint64_t end_max) {
    const auto* pair = value.if_array();
    if (pair == nullptr || pair->size() != 2) return malformed("done: need pairs");
    const auto* begin = pair->at(0).if_int64();
    const auto* end = pair->at(1).if_int64();
    if (begin == nullptr || end == nullptr || *begin < 0 || *end <= *begin ||
        static_cast<uint64_t>(*end) > end_max) {
        return malformed("done: a range that cannot be");
    }
    return ByteRange{static_cast<uint64_t>(*begin), static_cast<uint64_t>(*end)};
}

}  // namespace

bool Journal::is_of_same_file_as(const Journal& other) const {
    if (bytes != other.bytes || digest != other.digest) return false;
    return digest ? true : !validator.empty() && validator == other.validator;
}

std::string encode_journal(const Journal& journal) {
    json::array done;
    for (const ByteRange& range : journal.done.ranges()) {
        // What is not written down is fetched again.
        if (done.size() == journal_ranges_max) break;
        done.push_back(json::array{range.begin, range.end});
    }
    std::string digest;
    if (journal.digest) {
        digest = std::string(kind_name(journal.digest->kind)) + ":" + journal.digest->hex;
    }
    return json::serialize(json::object{{"version", 1},
                                        {"bytes", journal.bytes},
                                        {"validator", journal.validator},
                                        {"digest", digest},
                                        {"done", std::move(done)}}) +
           "\n";
}

Result<Journal> parse_journal(std::string_view text) {
    TT_TRY(const auto value,
           parse_strict_json(text, {.bytes_max = journal_bytes_max, .depth_max = 4}));
    const auto* object = value.if_object();
    if (object == nullptr || object->size() != 5) return malformed("need five members");
    const auto* version = object->if_contains("version");
    if (version == nullptr || *version != 1) return malformed("version: need 1");
    Journal out;
    const auto bytes = byte_count_at(*object, "bytes");
    const auto* validator = object->if_contains("validator");
    const auto* digest = object->if_contains("digest");
    const auto* done = object->if_contains("done");
    if (!bytes || validator == nullptr || !validator->is_string() || digest == nullptr ||
        !digest->is_string() || done == nullptr || !done->is_array() ||
        done->get_array().size() > journal_ranges_max) {
        return malformed("a member is missing or has another type");
    }
    out.bytes = *bytes;
    out.validator = validator->get_string();
    TT_TRY(out.digest, parse_digest(digest->get_string()));
    for (const auto& entry : done->get_array()) {
        TT_TRY(const auto range, parse_range(entry, out.bytes));
        out.done.add(range);
    }
    return out;
}

}  // namespace teetee::hub
