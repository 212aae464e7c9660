// SPDX-License-Identifier: Apache-2.0
#include "chain/rlp.hpp"

namespace teetee::chain {
namespace {

// The first byte of an item: below single_max the item itself, then strings and lists with their
// length in it, or with the length of their length.
constexpr uint8_t single_max = 0x7f;
constexpr uint8_t string_offset = 0x80;
constexpr uint8_t list_offset = 0xc0;
constexpr size_t short_bytes_max = 55;

void append_header(Bytes& out, uint8_t offset, size_t payload_bytes) {
    if (payload_bytes <= short_bytes_max) {
        out.push_back(static_cast<uint8_t>(offset + payload_bytes));
        return;
    }
    const Bytes length = U256(payload_bytes).to_bytes();
    out.push_back(static_cast<uint8_t>(offset + short_bytes_max + length.size()));
    out.insert(out.end(), length.begin(), length.end());
}

Error malformed(std::string detail) {
    return fail(ErrorCode::rlp_malformed, "RLP: " + std::move(detail));
}

}  // namespace

RlpWriter& RlpWriter::bytes(ByteView value) {
    if (value.size() != 1 || value[0] > single_max)
        append_header(bytes_, string_offset, value.size());
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    return *this;
}

RlpWriter& RlpWriter::number(const U256& value) {
    return bytes(value.to_bytes());
}

RlpWriter& RlpWriter::list(const RlpWriter& items) {
    const Bytes encoded = items.as_list();
    bytes_.insert(bytes_.end(), encoded.begin(), encoded.end());
    return *this;
}

Bytes RlpWriter::as_list() const {
    Bytes out;
    append_header(out, list_offset, bytes_.size());
    out.insert(out.end(), bytes_.begin(), bytes_.end());
    return out;
}

Result<size_t> RlpReader::long_length(size_t length_bytes) const {
    if (length_bytes >= bytes_.size()) return malformed("the length is cut off");
    const ByteView digits = bytes_.subspan(1, length_bytes);
    if (digits[0] == 0) return malformed("a length with leading zeros");
    uint64_t length = 0;
    for (const uint8_t digit : digits) length = length << 8 | digit;
    if (length <= short_bytes_max) return malformed("a long form for a short length");
    if (length > bytes_.size()) return malformed("an item that is longer than what holds it");
    return static_cast<size_t>(length);
}

Result<RlpReader::Item> RlpReader::next() const {
    if (bytes_.empty()) return malformed("an item is missing");
    const uint8_t first = bytes_[0];
    if (first <= single_max)
        return Item{.is_list = false, .payload = bytes_.first(1), .used_bytes = 1};
    const bool is_list = first >= list_offset;
    const size_t code = static_cast<size_t>(first - (is_list ? list_offset : string_offset));
    size_t header_bytes = 1;
    size_t length = code;
    if (code > short_bytes_max) {
        TT_TRY(length, long_length(code - short_bytes_max));
        header_bytes += code - short_bytes_max;
    }
    if (length > bytes_.size() - header_bytes)
        return malformed("an item that is longer than what holds it");
    const ByteView payload = bytes_.subspan(header_bytes, length);
    if (!is_list && length == 1 && payload[0] <= single_max)
        return malformed("a header before a byte that is its own encoding");
    return Item{.is_list = is_list, .payload = payload, .used_bytes = header_bytes + length};
}

Result<ByteView> RlpReader::bytes() {
    TT_TRY(const Item item, next());
    if (item.is_list) return malformed("have a list, need a string");
    bytes_ = bytes_.subspan(item.used_bytes);
    return item.payload;
}

Result<RlpReader> RlpReader::list() {
    TT_TRY(const Item item, next());
    if (!item.is_list) return malformed("have a string, need a list");
    bytes_ = bytes_.subspan(item.used_bytes);
    return RlpReader(item.payload);
}

Result<U256> RlpReader::number() {
    RlpReader ahead = *this;
    TT_TRY(const ByteView digits, ahead.bytes());
    if (!digits.empty() && digits[0] == 0) return malformed("a number with leading zeros");
    const auto number = U256::from_bytes(digits);
    if (!number) return malformed(number.error().detail);
    *this = ahead;
    return number;
}

Result<uint64_t> RlpReader::number_u64() {
    RlpReader ahead = *this;
    TT_TRY(const U256 number, ahead.number());
    const auto small = number.to_u64();
    if (!small) return malformed("have a number of more than 8 bytes");
    *this = ahead;
    return *small;
}

Result<void> RlpReader::ensure_size(ByteView have, size_t need) {
    if (have.size() == need) return {};
    return malformed("have " + std::to_string(have.size()) + " bytes, need " +
                     std::to_string(need));
}

Result<void> RlpReader::ensure_end() const {
    if (bytes_.empty()) return {};
    return malformed("have " + std::to_string(bytes_.size()) + " bytes behind the last item");
}

}  // namespace teetee::chain
