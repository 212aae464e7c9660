// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace teetee {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;
template <size_t N>
using ByteArray = std::array<uint8_t, N>;

/// The bytes of a text, and a text of the bytes; no conversion takes place.
ByteView as_bytes(std::string_view text);
std::string_view as_text(ByteView bytes);

/// Lower-case hex without prefix.
std::string to_hex(ByteView bytes);

/// Strict: an even number of hex digits, nothing else; one leading "0x" is allowed.
/// Error: invalid_hex.
Result<Bytes> from_hex(std::string_view hex);

/// As from_hex, for exactly N bytes.
template <size_t N>
Result<ByteArray<N>> array_from_hex(std::string_view hex) {
    TT_TRY(auto bytes, from_hex(hex));
    if (bytes.size() != N) {
        return fail(ErrorCode::invalid_hex,
                    "have " + std::to_string(bytes.size()) + " bytes, need " + std::to_string(N));
    }
    ByteArray<N> out;
    for (size_t i = 0; i < N; ++i) out[i] = bytes[i];
    return out;
}

/// Standard base64 (RFC 4648 section 4) with padding.
std::string to_base64(ByteView bytes);
/// Strict: alphabet, length and padding are checked. Error: invalid_argument.
Result<Bytes> from_base64(std::string_view text);

/// Reads little-endian integers and byte runs from a foreign buffer; never past its end.
/// A failed read leaves the position where it was.
class ByteReader {
  public:
    explicit ByteReader(ByteView bytes) : bytes_(bytes) {}

    size_t position() const { return position_; }
    size_t remaining() const { return bytes_.size() - position_; }
    bool at_end() const { return remaining() == 0; }

    /// Error of each: limit_exceeded, with how many bytes are there and how many are needed.
    Result<uint8_t> read_u8();
    Result<uint16_t> read_u16();
    Result<uint32_t> read_u32();
    Result<uint64_t> read_u64();
    Result<ByteView> read_bytes(uint64_t count);

    template <size_t N>
    Result<ByteArray<N>> read_array() {
        TT_TRY(auto view, read_bytes(N));
        ByteArray<N> out;
        for (size_t i = 0; i < N; ++i) out[i] = view[i];
        return out;
    }

  private:
    template <class T>
    Result<T> read_integer();

    ByteView bytes_;
    size_t position_ = 0;
};

/// Appends little-endian integers and byte runs.
class ByteWriter {
  public:
    void u8(uint8_t value) { bytes_.push_back(value); }
    void u16(uint16_t value) { integer(value, 2); }
    void u32(uint32_t value) { integer(value, 4); }
    void u64(uint64_t value) { integer(value, 8); }
    void bytes(ByteView value) { bytes_.insert(bytes_.end(), value.begin(), value.end()); }
    /// u32 length, then the bytes: the form for everything that is hashed or signed.
    void length_prefixed(ByteView value) {
        u32(static_cast<uint32_t>(value.size()));
        bytes(value);
    }

    size_t size() const { return bytes_.size(); }
    const Bytes& view() const { return bytes_; }
    Bytes take() { return std::move(bytes_); }

  private:
    void integer(uint64_t value, int byte_count) {
        for (int i = 0; i < byte_count; ++i)
            bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
    }
    Bytes bytes_;
};

/// True if the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool is_utf8(std::string_view text);

}  // namespace teetee
