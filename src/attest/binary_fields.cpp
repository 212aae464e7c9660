// SPDX-License-Identifier: Apache-2.0
#include "attest/binary_fields.hpp"

#include "attest/limits.hpp"

namespace teetee::attest {

Error field_error(std::string_view field, std::string_view have, std::string_view need) {
    return fail(ErrorCode::invalid_argument,
                std::string(field) + ": have " + std::string(have) + ", need " + std::string(need));
}

Result<ByteView> read_run(ByteReader& reader, RunBytes bytes, std::string_view field) {
    TT_TRY(const uint32_t byte_count, reader.read_u32());
    if (byte_count < bytes.least || byte_count > bytes.most) {
        return field_error(field, std::to_string(byte_count) + " bytes",
                           std::to_string(bytes.least) + " to " + std::to_string(bytes.most));
    }
    return reader.read_bytes(byte_count);
}

Result<void> read_tag(ByteReader& reader, std::string_view tag) {
    TT_TRY(const ByteView have, read_run(reader, {.most = tag.size()}, "tag"));
    if (as_text(have) == tag) return {};
    return field_error("tag", quote_foreign(as_text(have)), tag);
}

Result<UnixSeconds> read_time(ByteReader& reader, std::string_view field) {
    TT_TRY(const uint64_t time, reader.read_u64());
    if (time > static_cast<uint64_t>(unix_seconds_max)) {
        return field_error(field, std::to_string(time),
                           "at most " + std::to_string(unix_seconds_max));
    }
    return static_cast<UnixSeconds>(time);
}

Result<void> ensure_layers(const LayerRange& layers) {
    if (layers.begin < layers.end) return {};
    return field_error("layers", std::to_string(layers.begin) + ".." + std::to_string(layers.end),
                       "at least one layer");
}

Result<void> ensure_at_end(const ByteReader& reader) {
    if (reader.at_end()) return {};
    return field_error("end", std::to_string(reader.remaining()) + " bytes behind it", "none");
}

}  // namespace teetee::attest
