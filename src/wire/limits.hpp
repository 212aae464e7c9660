// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace teetee::wire {

/// How much a peer may send; every node of a ring uses these defaults, tests use less.
struct Limits {
    /// A whole frame; `net` refuses a longer one before it reads it.
    uint32_t frame_bytes_max = 256u << 20;
    /// The protobuf part alone: rows_max rows fit. Parsing needs some thirty times as much memory.
    uint32_t header_bytes_max = 256u << 10;
    uint32_t rows_max = 4096;
    uint32_t width_max = 65536;
    /// Requests in one Close.
    uint32_t requests_max = 4096;
    /// Positions of one sequence, and pages in it.
    uint32_t positions_max = 1u << 22;
    /// Pages in one Evict.
    uint32_t prefixes_max = 4096;
    uint32_t layers_max = 1024;
    /// Stages of a ring.
    uint32_t hops_max = 64;
    /// In one message, and each.
    uint32_t adverts_max = 64;
    uint32_t advert_bytes_max = 2048;
    uint32_t statement_bytes_max = 16u << 10;
    uint32_t quote_bytes_max = 128u << 10;
    /// Of a SignOff: the largest settlement and a stage's records for it fit, so that nothing has
    /// to be put together of several frames.
    uint32_t sign_off_bytes_max = 320u << 10;
};

}  // namespace teetee::wire
