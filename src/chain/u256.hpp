// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace teetee::chain {

/// 32 bytes, big-endian: the unit of the EVM.
using Word = ByteArray<32>;

/// An unsigned integer of 256 bits. Arithmetic is checked: what does not fit is an error, never
/// another number, for amounts of money are counted in it.
class U256 {
  public:
    struct Quotient;

    constexpr U256() = default;
    /// Implicit on purpose: every uint64_t is a U256.
    constexpr U256(uint64_t value) : limbs_{value, 0, 0, 0} {}
    static constexpr U256 max() { return U256({UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}); }
    /// 2^exponent, with an exponent below 256.
    static U256 power_of_two(unsigned exponent);

    /// Big-endian, of up to 32 bytes. Error: amount_overflow when there are more.
    static Result<U256> from_bytes(ByteView bytes);
    static U256 from_word(const Word& word);
    /// Digits alone, without leading zeros. Errors: amount_malformed, amount_overflow.
    static Result<U256> from_decimal(std::string_view text);
    /// As JSON-RPC writes quantities: 0x, then hex digits without leading zeros; zero is 0x0.
    /// Error: amount_malformed.
    static Result<U256> from_quantity(std::string_view text);

    Word to_word() const;
    /// Big-endian without leading zeros; zero is no bytes.
    Bytes to_bytes() const;
    std::string to_decimal() const;
    std::string to_quantity() const;
    /// nullopt when it does not fit.
    std::optional<uint64_t> to_u64() const;

    bool is_zero() const { return *this == U256(); }
    /// Bits without leading zeros; 0 for zero.
    unsigned bit_count() const;

    // Error of each: amount_overflow.
    Result<U256> plus(const U256& other) const;
    Result<U256> minus(const U256& other) const;
    Result<U256> times(const U256& other) const;
    /// Rounded down. Error: invalid_argument for division by zero.
    Result<Quotient> divided_by(const U256& divisor) const;

    /// 2^256 - value (0 for 0): how the EVM writes the negative of a number.
    U256 twos_complement() const;
    /// The lowest `bits` bits are kept, and bit `bits - 1` fills those above, as for an intN.
    U256 sign_extended(unsigned bits) const;

    bool operator==(const U256&) const = default;
    std::strong_ordering operator<=>(const U256& other) const;

  private:
    static constexpr size_t limb_count = 4;
    using Limbs = std::array<uint64_t, limb_count>;

    constexpr explicit U256(const Limbs& limbs) : limbs_(limbs) {}
    bool bit(unsigned index) const { return (limbs_[index / 64] >> (index % 64) & 1) != 0; }
    U256 doubled() const;
    /// Divides in place and returns the remainder; the divisor is not 0.
    uint64_t divide_by_limb(uint64_t divisor);

    /// The least significant first.
    Limbs limbs_{};
};

struct U256::Quotient {
    U256 quotient;
    U256 remainder;
};

}  // namespace teetee::chain
