// SPDX-License-Identifier: Apache-2.0
#include "chain/u256.hpp"

#include <algorithm>
#include <bit>

namespace teetee::chain {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr uint64_t low_half(Wide value) {
    return static_cast<uint64_t>(value);
}

constexpr uint64_t high_half(Wide value) {
    return static_cast<uint64_t>(value >> 64);
}

Error overflow(std::string_view operation) {
    return fail(ErrorCode::amount_overflow,
                "U256: " + std::string(operation) + " leaves the range of 256 bits");
}

Error malformed(std::string_view text, std::string_view need) {
    return fail(ErrorCode::amount_malformed,
                "number: have " + quote_foreign(text) + ", need " + std::string(need));
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

U256 U256::power_of_two(unsigned exponent) {
    TT_ASSERT(exponent < 256);
    U256 out;
    out.limbs_[exponent / 64] = uint64_t{1} << (exponent % 64);
    return out;
}

Result<U256> U256::from_bytes(ByteView bytes) {
    if (bytes.size() > 32) {
        return fail(ErrorCode::amount_overflow,
                    "number: have " + std::to_string(bytes.size()) + " bytes, need at most 32");
    }
    Word word{};
    std::copy(bytes.begin(), bytes.end(), word.end() - static_cast<ptrdiff_t>(bytes.size()));
    return from_word(word);
}

U256 U256::from_word(const Word& word) {
    U256 out;
    for (size_t i = 0; i < word.size(); ++i) {
        uint64_t& limb = out.limbs_[limb_count - 1 - i / 8];
        limb = limb << 8 | word[i];
    }
    return out;
}

Result<U256> U256::from_decimal(std::string_view text) {
    constexpr size_t digits_max = 78;
    const bool digits_alone = text.find_first_not_of("0123456789") == std::string_view::npos;
    if (text.empty() || !digits_alone || (text.size() > 1 && text[0] == '0'))
        return malformed(text, "decimal digits without leading zeros");
    if (text.size() > digits_max) return overflow("the decimal number");
    U256 out;
    for (const char c : text) {
        TT_TRY(const U256 shifted, out.times(10));
        TT_TRY(out, shifted.plus(static_cast<uint64_t>(c - '0')));
    }
    return out;
}

Result<U256> U256::from_quantity(std::string_view text) {
    constexpr std::string_view need = "0x and up to 64 hex digits without leading zeros";
    if (!text.starts_with("0x")) return malformed(text, need);
    const std::string_view digits = text.substr(2);
    if (digits.empty() || digits.size() > 64 || (digits.size() > 1 && digits[0] == '0'))
        return malformed(text, need);
    U256 out;
    for (size_t i = 0; i < digits.size(); ++i) {
        const int value = hex_digit(digits[i]);
        if (value < 0) return malformed(text, need);
        const size_t place = digits.size() - 1 - i;
        out.limbs_[place / 16] |= static_cast<uint64_t>(value) << (4 * (place % 16));
    }
    return out;
}

Word U256::to_word() const {
    Word out;
    for (size_t i = 0; i < out.size(); ++i) {
        const uint64_t limb = limbs_[limb_count - 1 - i / 8];
        out[i] = static_cast<uint8_t>(limb >> (8 * (7 - i % 8)));
    }
    return out;
}

Bytes U256::to_bytes() const {
    const Word word = to_word();
    return Bytes(std::find_if(word.begin(), word.end(), [](uint8_t byte) { return byte != 0; }),
                 word.end());
}

std::string U256::to_decimal() const {
    std::string out;
    U256 rest = *this;
    do {
        out.push_back(static_cast<char>('0' + rest.divide_by_limb(10)));
    } while (!rest.is_zero());
    std::reverse(out.begin(), out.end());
    return out;
}

std::string U256::to_quantity() const {
    const std::string digits = to_hex(to_word());
    const size_t first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
    return "0x" + digits.substr(first);
}

std::optional<uint64_t> U256::to_u64() const {
    if (bit_count() > 64) return std::nullopt;
    return limbs_[0];
}

unsigned U256::bit_count() const {
    for (size_t i = limb_count; i-- > 0;) {
        if (limbs_[i] != 0)
            return static_cast<unsigned>(64 * i) + static_cast<unsigned>(std::bit_width(limbs_[i]));
    }
    return 0;
}

Result<U256> U256::plus(const U256& other) const {
    U256 out;
    uint64_t carry = 0;
    for (size_t i = 0; i < limb_count; ++i) {
        const Wide sum = Wide{limbs_[i]} + other.limbs_[i] + carry;
        out.limbs_[i] = low_half(sum);
        carry = high_half(sum);
    }
    if (carry != 0) return overflow("a sum");
    return out;
}

Result<U256> U256::minus(const U256& other) const {
    if (*this < other) return overflow("a difference");
    U256 out;
    uint64_t borrow = 0;
    for (size_t i = 0; i < limb_count; ++i) {
        const Wide difference = Wide{limbs_[i]} - other.limbs_[i] - borrow;
        out.limbs_[i] = low_half(difference);
        borrow = high_half(difference) != 0 ? 1 : 0;
    }
    return out;
}

Result<U256> U256::times(const U256& other) const {
    U256 out;
    for (size_t i = 0; i < limb_count; ++i) {
        uint64_t carry = 0;
        for (size_t j = 0; j < limb_count; ++j) {
            const Wide product = Wide{limbs_[i]} * other.limbs_[j] + carry;
            if (i + j >= limb_count) {
                if (product != 0) return overflow("a product");
                continue;
            }
            const Wide sum = product + out.limbs_[i + j];
            out.limbs_[i + j] = low_half(sum);
            carry = high_half(sum);
        }
        if (carry != 0) return overflow("a product");
    }
    return out;
}

Result<U256::Quotient> U256::divided_by(const U256& divisor) const {
    if (divisor.is_zero()) return fail(ErrorCode::invalid_argument, "U256: division by zero");
    Quotient out;
    for (unsigned i = bit_count(); i-- > 0;) {
        // The bit that doubling shifts out belongs to the remainder all the same.
        const bool carried = out.remainder.bit(255);
        out.remainder = out.remainder.doubled();
        if (bit(i)) out.remainder.limbs_[0] |= 1;
        if (!carried && out.remainder < divisor) continue;
        U256 less;
        uint64_t borrow = 0;
        for (size_t limb = 0; limb < limb_count; ++limb) {
            const Wide difference =
                Wide{out.remainder.limbs_[limb]} - divisor.limbs_[limb] - borrow;
            less.limbs_[limb] = low_half(difference);
            borrow = high_half(difference) != 0 ? 1 : 0;
        }
        out.remainder = less;
        out.quotient.limbs_[i / 64] |= uint64_t{1} << (i % 64);
    }
    return out;
}

U256 U256::doubled() const {
    U256 out;
    uint64_t carry = 0;
    for (size_t i = 0; i < limb_count; ++i) {
        out.limbs_[i] = limbs_[i] << 1 | carry;
        carry = limbs_[i] >> 63;
    }
    return out;
}

uint64_t U256::divide_by_limb(uint64_t divisor) {
    uint64_t remainder = 0;
    for (size_t i = limb_count; i-- > 0;) {
        const Wide part = Wide{remainder} << 64 | limbs_[i];
        limbs_[i] = low_half(part / divisor);
        remainder = low_half(part % divisor);
    }
    return remainder;
}

U256 U256::twos_complement() const {
    U256 out;
    uint64_t carry = 1;
    for (size_t i = 0; i < limb_count; ++i) {
        const Wide sum = Wide{~limbs_[i]} + carry;
        out.limbs_[i] = low_half(sum);
        carry = high_half(sum);
    }
    return out;
}

U256 U256::sign_extended(unsigned bits) const {
    TT_ASSERT(bits > 0 && bits <= 256);
    const bool negative = bit(bits - 1);
    U256 out = *this;
    for (unsigned i = bits; i < 256; ++i) {
        const uint64_t mask = uint64_t{1} << (i % 64);
        if (negative) {
            out.limbs_[i / 64] |= mask;
        } else {
            out.limbs_[i / 64] &= ~mask;
        }
    }
    return out;
}

std::strong_ordering U256::operator<=>(const U256& other) const {
    for (size_t i = limb_count; i-- > 0;) {
        if (limbs_[i] != other.limbs_[i]) return limbs_[i] <=> other.limbs_[i];
    }
    return std::strong_ordering::equal;
}

}  // namespace teetee::chain
