// SPDX-License-Identifier: Apache-2.0
#include "crypto/eip712.hpp"

#include "base/assert.hpp"
#include "crypto/hash.hpp"

namespace teetee::crypto {
namespace {

constexpr size_t word_bytes = 32;

void append(Bytes& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

Digest hash_of(std::string_view text) {
    return keccak256(as_bytes(text));
}

}  // namespace

Eip712Struct::Eip712Struct(std::string_view type) {
    bytes32(hash_of(type));
}

Eip712Struct& Eip712Struct::integer(uint64_t value) {
    encoded_.insert(encoded_.end(), word_bytes - 8, 0);
    for (int shift = 56; shift >= 0; shift -= 8)
        encoded_.push_back(static_cast<uint8_t>(value >> shift));
    return *this;
}

Eip712Struct& Eip712Struct::address(const Address& value) {
    encoded_.insert(encoded_.end(), word_bytes - value.size(), 0);
    append(encoded_, value);
    return *this;
}

Eip712Struct& Eip712Struct::bytes32(const Digest& value) {
    append(encoded_, value);
    return *this;
}

Eip712Struct& Eip712Struct::bytes_n(ByteView value) {
    TT_ASSERT(value.size() < word_bytes);
    append(encoded_, value);
    encoded_.insert(encoded_.end(), word_bytes - value.size(), 0);
    return *this;
}

Eip712Struct& Eip712Struct::array(std::span<const Digest> values) {
    Bytes joined;
    for (const Digest& value : values) append(joined, value);
    return bytes32(keccak256(joined));
}

Digest Eip712Struct::hash() const {
    return keccak256(encoded_);
}

Digest eip712_digest(const Eip712Domain& domain, const Digest& struct_hash) {
    const Digest separator =
        Eip712Struct(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
            .bytes32(hash_of(domain.name))
            .bytes32(hash_of(domain.version))
            .integer(domain.chain_id)
            .address(domain.contract)
            .hash();
    Bytes message = {0x19, 0x01};
    append(message, separator);
    append(message, struct_hash);
    return keccak256(message);
}

}  // namespace teetee::crypto
