// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/request.hpp"
#include "crypto/secp256k1.hpp"

namespace teetee::crypto {

/// Which contract on which chain a signature is meant for (EIP-712, "Definition of
/// domainSeparator"): name, version, chainId and verifyingContract.
struct Eip712Domain {
    std::string_view name;
    std::string_view version;
    uint64_t chain_id = 0;
    Address contract{};
};

/// The members of one struct, encoded in the order of its type. Integers are of the types uint8 to
/// uint256; strings and nested structs go in as their hashes.
class Eip712Struct {
  public:
    /// As encodeType gives it: "Mail(Person from,Person to)Person(..)".
    explicit Eip712Struct(std::string_view type);

    Eip712Struct& integer(uint64_t value);
    Eip712Struct& address(const Address& value);
    Eip712Struct& bytes32(const Digest& value);
    /// bytesN with N below 32.
    Eip712Struct& bytes_n(ByteView value);
    /// bytes32[].
    Eip712Struct& array(std::span<const Digest> values);

    /// hashStruct.
    Digest hash() const;

  private:
    Bytes encoded_;
};

/// What is signed: keccak256("\x19\x01" || domain separator || hashStruct(message)).
Digest eip712_digest(const Eip712Domain& domain, const Digest& struct_hash);

}  // namespace teetee::crypto
