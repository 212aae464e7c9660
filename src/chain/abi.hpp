// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "chain/address.hpp"
#include "chain/u256.hpp"

namespace teetee::chain {

enum class AbiKind : uint8_t {
    unsigned_integer,
    signed_integer,
    boolean,
    address,
    fixed_bytes,
    bytes,
    string,
    fixed_array,
    array,
    tuple,
};

/// A type of the contract ABI (Solidity documentation, "Contract ABI Specification").
struct AbiType {
    AbiKind kind = AbiKind::unsigned_integer;
    /// Bits of an integer, bytes of a fixed_bytes, elements of a fixed_array.
    size_t size = 0;
    /// The element type of an array, the members' types of a tuple.
    std::vector<AbiType> parts{};

    bool is_dynamic() const;
    /// Bytes in the place where the value is listed: an offset of 32 if it is dynamic.
    size_t head_bytes() const;
    /// The canonical name, as selectors are made of it: "(uint256,bytes32[])".
    std::string name() const;

    bool operator==(const AbiType&) const = default;
};

/// One type. "uint" and "int" are those of 256 bits; fixed point numbers and functions are not
/// known. Error: abi_malformed.
Result<AbiType> parse_abi_type(std::string_view text);

/// A value of any of the types: integers and booleans (0 or 1) as numbers, negative ones as their
/// two's complement; addresses, bytes and strings as bytes; arrays and tuples as their elements.
struct AbiValue {
    std::variant<U256, Bytes, std::vector<AbiValue>> value{};

    AbiValue() = default;
    AbiValue(U256 number) : value(number) {}
    AbiValue(uint64_t number) : value(U256(number)) {}
    AbiValue(Bytes bytes) : value(std::move(bytes)) {}
    AbiValue(std::vector<AbiValue> elements) : value(std::move(elements)) {}
    static AbiValue of(ByteView bytes) { return Bytes(bytes.begin(), bytes.end()); }

    // Of values that decode_abi gave for a type of that kind.
    const U256& number() const;
    const Bytes& bytes() const;
    const std::vector<AbiValue>& elements() const;

    bool operator==(const AbiValue&) const = default;
};

/// The values as arguments of a call, or as what one returns.
/// Error: abi_malformed when a value is none of its type.
Result<Bytes> encode_abi(std::span<const AbiType> types, std::span<const AbiValue> values);

/// Strict: every bit that the types leave no choice about must be as it should (padding, the range
/// of numbers), offsets lead inside, strings are UTF-8. That offsets lead to the same bytes twice,
/// or past bytes that nobody reads, is allowed by the ABI; limits.hpp bounds what comes of it.
/// Error: abi_malformed.
Result<std::vector<AbiValue>> decode_abi(std::span<const AbiType> types, ByteView data);

}  // namespace teetee::chain
