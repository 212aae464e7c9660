// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"

#include <limits>

namespace teetee {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int base64_value(char c) {
    const size_t at = base64_digits.find(c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string to_hex(ByteView bytes) {
    std::string out;
    out.reserve(2 * bytes.size());
    for (const uint8_t b : bytes) {
        out.push_back(hex_digits[b >> 4]);
        out.push_back(hex_digits[b & 15]);
    }
    return out;
}

Result<Bytes> from_hex(std::string_view hex) {
    if (hex.starts_with("0x")) hex.remove_prefix(2);
    if (hex.size() % 2 != 0) return fail(ErrorCode::invalid_hex, "odd number of digits");
    Bytes out(hex.size() / 2);
    for (size_t i = 0; i < out.size(); ++i) {
        const int high = hex_value(hex[2 * i]);
        const int low = hex_value(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            return fail(ErrorCode::invalid_hex, "not a hex digit at " + std::to_string(2 * i));
        }
        out[i] = static_cast<uint8_t>(high << 4 | low);
    }
    return out;
}

std::string to_base64(ByteView bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (size_t i = 0; i < bytes.size(); i += 3) {
        const size_t count = std::min<size_t>(3, bytes.size() - i);
        uint32_t group = 0;
        for (size_t j = 0; j < 3; ++j) group = group << 8 | (j < count ? bytes[i + j] : 0u);
        for (size_t j = 0; j < 4; ++j) {
            out.push_back(j <= count ? base64_digits[group >> (18 - 6 * j) & 63] : '=');
        }
    }
    return out;
}

Result<Bytes> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) {
        return fail(ErrorCode::invalid_argument, "base64: length is not a multiple of 4");
    }
    size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
        ++padding;
    Bytes out;
    out.reserve(text.size() / 4 * 3);
    for (size_t i = 0; i < text.size(); i += 4) {
        const size_t pad = i + 4 == text.size() ? padding : 0;
        uint32_t group = 0;
        for (size_t j = 0; j < 4; ++j) {
            const int value = j < 4 - pad ? base64_value(text[i + j]) : 0;
            if (value < 0) return fail(ErrorCode::invalid_argument, "base64: foreign character");
            group = group << 6 | static_cast<uint32_t>(value);
        }
        // Unused low bits must be zero, or two texts would stand for the same bytes.
        if (pad > 0 && (group & ((1u << (8 * pad)) - 1)) != 0) {
            return fail(ErrorCode::invalid_argument, "base64: trailing bits set");
        }
        for (size_t j = 0; j < 3 - pad; ++j)
            out.push_back(static_cast<uint8_t>(group >> (16 - 8 * j)));
    }
    return out;
}

template <class T>
Result<T> ByteReader::read_integer() {
    TT_TRY(const auto view, read_bytes(sizeof(T)));
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) value |= static_cast<uint64_t>(view[i]) << (8 * i);
    return static_cast<T>(value);
}

Result<uint8_t> ByteReader::read_u8() {
    return read_integer<uint8_t>();
}
Result<uint16_t> ByteReader::read_u16() {
    return read_integer<uint16_t>();
}
Result<uint32_t> ByteReader::read_u32() {
    return read_integer<uint32_t>();
}
Result<uint64_t> ByteReader::read_u64() {
    return read_integer<uint64_t>();
}

Result<ByteView> ByteReader::read_bytes(uint64_t count) {
    if (count > remaining()) {
        return fail(ErrorCode::limit_exceeded, "at byte " + std::to_string(position_) + ": have " +
                                                   std::to_string(remaining()) + " bytes, need " +
                                                   std::to_string(count));
    }
    const ByteView view = bytes_.subspan(position_, static_cast<size_t>(count));
    position_ += static_cast<size_t>(count);
    return view;
}

bool is_utf8(std::string_view text) {
    size_t i = 0;
    while (i < text.size()) {
        const auto lead = static_cast<uint8_t>(text[i]);
        size_t follow = 0;
        uint32_t point = 0;
        if (lead < 0x80) {
            ++i;
            continue;
        }
        if (lead >= 0xc2 && lead <= 0xdf) {
            follow = 1;
            point = lead & 0x1fu;
        } else if (lead >= 0xe0 && lead <= 0xef) {
            follow = 2;
            point = lead & 0x0fu;
        } else if (lead >= 0xf0 && lead <= 0xf4) {
            follow = 3;
            point = lead & 0x07u;
        } else {
            return false;
        }
        if (text.size() - i <= follow) return false;
        for (size_t j = 1; j <= follow; ++j) {
            const auto c = static_cast<uint8_t>(text[i + j]);
            if ((c & 0xc0) != 0x80) return false;
            point = point << 6 | (c & 0x3fu);
        }
        constexpr uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (point < least[follow] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
            return false;
        }
        i += follow + 1;
    }
    return true;
}

}  // namespace teetee
