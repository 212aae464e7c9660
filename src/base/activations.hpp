// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.hpp"

/// How rows of activations travel between shards (docs/numerics.md, "Between shards"). Encoding and
/// decoding are total: any row of floats has one encoding, any bytes of the right length are a row.
namespace teetee {

enum class ActivationFormat : uint8_t {
    /// As they are, 4 bytes a value, little-endian.
    f32,
    /// binary16, rounded to nearest, half to even; what is beyond its range becomes its largest
    /// number, NaN 0.
    f16,
    /// Blocks of 32 values, the last one of what is left: a scale s as f32, then a signed byte q
    /// for each; the value is s * q. s is the largest magnitude / 127, q is value / s, rounded to
    /// nearest, half to even.
    q8,
};
inline constexpr auto activation_format_max = ActivationFormat::q8;
inline constexpr size_t activation_block = 32;

/// "f32", "f16", "q8"; none for another name.
std::optional<ActivationFormat> activation_format_named(std::string_view name);
std::string_view to_string(ActivationFormat format);

/// Of an encoded row of so many values.
size_t row_bytes(ActivationFormat format, size_t width);

/// Rows of `width` values, one after the other: f32 as engines have them, and encoded. The lengths
/// MUST be whole rows.
Bytes encode_rows(Bytes f32_rows, size_t width, ActivationFormat format);
Bytes decode_rows(Bytes encoded, size_t width, ActivationFormat format);

/// What the next shard gets of these values: encoded and decoded, in place.
void round_rows(std::span<float> rows, size_t width, ActivationFormat format);

}  // namespace teetee
