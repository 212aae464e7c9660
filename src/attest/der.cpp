// SPDX-License-Identifier: Apache-2.0
#include "attest/der.hpp"

#include "base/assert.hpp"

namespace teetee::attest {
namespace {

Error malformed(std::string detail) {
    return fail(ErrorCode::certificate_malformed, "DER: " + std::move(detail));
}

}  // namespace

Result<ByteView> DerReader::read_any(uint8_t& tag) {
    if (der_.size() < 2) {
        return malformed("have " + std::to_string(der_.size()) + " bytes, need 2 for a header");
    }
    tag = der_[0];
    if ((tag & 0x1f) == 0x1f) return malformed("tag of more than one byte");
    size_t header_bytes = 2;
    size_t length = der_[1];
    if (length >= 0x80) {
        const size_t length_bytes = length & 0x7f;
        if (length_bytes == 0 || length_bytes > 3) return malformed("length of a foreign form");
        if (der_.size() < 2 + length_bytes) return malformed("length cut off");
        length = 0;
        for (size_t i = 0; i < length_bytes; ++i) length = length << 8 | der_[2 + i];
        const size_t least = length_bytes == 1 ? 0x80 : size_t{1} << (8 * (length_bytes - 1));
        if (length < least) return malformed("length not minimal");
        header_bytes += length_bytes;
    }
    if (length > der_.size() - header_bytes) {
        return malformed("have " + std::to_string(der_.size() - header_bytes) + " bytes, need " +
                         std::to_string(length));
    }
    const ByteView contents = der_.subspan(header_bytes, length);
    der_ = der_.subspan(header_bytes + length);
    return contents;
}

Result<ByteView> DerReader::read(DerTag tag) {
    const ByteView before = der_;
    uint8_t found = 0;
    TT_TRY(const ByteView contents, read_any(found));
    if (found != static_cast<uint8_t>(tag)) {
        der_ = before;
        return malformed("have tag " + std::to_string(found) + ", need " +
                         std::to_string(static_cast<uint8_t>(tag)));
    }
    return contents;
}

Result<uint16_t> DerReader::read_integer(uint16_t value_max) {
    TT_TRY(const ByteView contents, read(DerTag::integer));
    // A leading zero byte is there only to keep the next byte's top bit from being a sign.
    const bool minimal =
        contents.size() == 1 || (contents.size() > 1 && (contents[0] != 0 || contents[1] >= 0x80));
    if (!minimal || contents.size() > 3 || contents[0] >= 0x80) {
        return malformed("number negative, not minimal or too large");
    }
    uint32_t value = 0;
    for (const uint8_t byte : contents) value = value << 8 | byte;
    if (value > value_max) {
        return malformed("have number " + std::to_string(value) + ", need at most " +
                         std::to_string(value_max));
    }
    return static_cast<uint16_t>(value);
}

Result<void> DerReader::skip() {
    uint8_t tag = 0;
    TT_CHECK(read_any(tag));
    return {};
}

Bytes der_encode(DerTag tag, std::initializer_list<ByteView> parts) {
    size_t length = 0;
    for (const ByteView part : parts) length += part.size();
    ByteWriter out;
    out.u8(static_cast<uint8_t>(tag));
    if (length < 0x80) {
        out.u8(static_cast<uint8_t>(length));
    } else if (length < 0x100) {
        out.u8(0x81);
        out.u8(static_cast<uint8_t>(length));
    } else {
        TT_ASSERT(length < 0x10000);
        out.u8(0x82);
        out.u8(static_cast<uint8_t>(length >> 8));
        out.u8(static_cast<uint8_t>(length));
    }
    for (const ByteView part : parts) out.bytes(part);
    return out.take();
}

}  // namespace teetee::attest
