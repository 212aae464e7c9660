// SPDX-License-Identifier: Apache-2.0
#include "sealed/fields.hpp"

#include <algorithm>

#include "sealed/limits.hpp"

namespace teetee::sealed {
namespace {

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= header_name_bytes_max &&
           std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

bool is_value(std::string_view value) {
    return value.size() <= header_value_bytes_max &&
           std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

Error malformed(std::string_view what, const Error& error) {
    return fail(ErrorCode::sealed_malformed, std::string(what) + ": " + error.detail);
}

Result<void> write_headers(ByteWriter& out, const Headers& headers) {
    if (headers.size() > headers_max)
        return fail(ErrorCode::invalid_argument, "sealed: too many headers");
    out.u16(static_cast<uint16_t>(headers.size()));
    for (const auto& [name, value] : headers) {
        if (!is_name(name) || !is_value(value))
            return fail(ErrorCode::invalid_argument,
                        "sealed: header " + quote_foreign(name) + " cannot be sent");
        out.length_prefixed(as_bytes(name));
        out.length_prefixed(as_bytes(value));
    }
    return {};
}

Result<ByteView> read_length_prefixed(ByteReader& reader) {
    const auto length = reader.read_u32();
    if (!length) return malformed("length", length.error());
    const auto bytes = reader.read_bytes(*length);
    if (!bytes) return malformed("field", bytes.error());
    return *bytes;
}

Result<Headers> read_headers(ByteReader& reader) {
    const auto count = reader.read_u16();
    if (!count) return malformed("headers", count.error());
    if (*count > headers_max) {
        return fail(ErrorCode::sealed_malformed, "headers: have " + std::to_string(*count) +
                                                     ", at most " + std::to_string(headers_max));
    }
    Headers headers;
    for (size_t i = 0; i < *count; ++i) {
        TT_TRY(const auto name, read_length_prefixed(reader));
        TT_TRY(const auto value, read_length_prefixed(reader));
        if (!is_name(as_text(name)) || !is_value(as_text(value)))
            return fail(ErrorCode::sealed_malformed, "headers: a name or value is none");
        if (!headers.empty() && headers.rbegin()->first >= as_text(name))
            return fail(ErrorCode::sealed_malformed, "headers: not in order, or twice the same");
        headers.emplace_hint(headers.end(), as_text(name), as_text(value));
    }
    return headers;
}

Result<void> read_padding(ByteReader& reader) {
    const auto rest = reader.read_bytes(reader.remaining());
    if (!rest || !std::ranges::all_of(*rest, [](uint8_t byte) { return byte == 0; }))
        return fail(ErrorCode::sealed_malformed, "padding: something else than zeros");
    return {};
}

}  // namespace teetee::sealed
