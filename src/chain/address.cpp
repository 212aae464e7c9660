// SPDX-License-Identifier: Apache-2.0
#include "chain/address.hpp"

#include <algorithm>

#include "chain/rlp.hpp"
#include "crypto/hash.hpp"

namespace teetee::chain {
namespace {

constexpr size_t text_bytes = 42;

bool is_lower_letter(char c) {
    return c >= 'a' && c <= 'f';
}

bool is_upper_letter(char c) {
    return c >= 'A' && c <= 'F';
}

}  // namespace

std::string to_checksum_text(const Address& address) {
    std::string digits = to_hex(address);
    const Digest hash = crypto::keccak256(as_bytes(digits));
    for (size_t i = 0; i < digits.size(); ++i) {
        const int nibble = i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 0xf;
        if (nibble >= 8 && is_lower_letter(digits[i]))
            digits[i] = static_cast<char>(digits[i] - 'a' + 'A');
    }
    return "0x" + digits;
}

Result<Address> parse_address(std::string_view text) {
    const auto bytes = array_from_hex<20>(text);
    if (!bytes || text.size() != text_bytes || !text.starts_with("0x")) {
        return fail(ErrorCode::account_malformed,
                    "address: have " + quote_foreign(text) + ", need 0x and 40 hex digits");
    }
    const std::string_view digits = text.substr(2);
    const bool mixed = std::any_of(digits.begin(), digits.end(), is_lower_letter) &&
                       std::any_of(digits.begin(), digits.end(), is_upper_letter);
    if (mixed && text != to_checksum_text(*bytes)) {
        return fail(
            ErrorCode::account_malformed,
            "address: the checksum of " + quote_foreign(text) + " is wrong; a typing error?");
    }
    return *bytes;
}

Address contract_address(const Address& creator, uint64_t nonce) {
    const Digest hash = crypto::keccak256(RlpWriter().bytes(creator).number(nonce).as_list());
    Address address;
    std::copy(hash.end() - 20, hash.end(), address.begin());
    return address;
}

}  // namespace teetee::chain
