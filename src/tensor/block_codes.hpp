// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tensor/packed_layout.hpp"

namespace teetee::tensor {

/// One block of a quantised type taken apart (ggml's block_q*): 32 or 256 codes and their scales.
struct BlockCodes {
    std::array<uint8_t, segment_elements> codes;
    uint16_t scale;                // F16
    uint16_t min;                  // F16; types with minima
    std::array<uint8_t, 16> subs;  // super blocks: integer scales, as signed bytes for Q3_K, Q6_K
    std::array<uint8_t, 16> mins;  // super blocks with minima
};

/// `block` points to block_layout(type).bytes bytes. Every byte string is a valid block.
void read_block(DataType type, const uint8_t* block, BlockCodes& out);

/// Elements of the block: what docs/numerics.md says a stored number means.
void dequantise_block(DataType type, const uint8_t* block, float* values);

}  // namespace teetee::tensor
