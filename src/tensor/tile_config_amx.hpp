// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace teetee::tensor {
namespace {

/// Operand of LDTILECFG (Intel 64 and IA-32 SDM, volume 1, 18.2.1).
struct alignas(64) TileConfig {
    uint8_t palette = 1;
    uint8_t start_row = 0;
    uint8_t reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};
};

}  // namespace
}  // namespace teetee::tensor
