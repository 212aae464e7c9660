// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace teetee::jinja {

// Bounds on what a template or a request can size; in brackets what published templates need.

constexpr size_t source_bytes_max = 1 << 20;      // [20 KB]
constexpr size_t nesting_depth_max = 100;         // of brackets and blocks [20]
constexpr size_t expression_depth_max = 400;      // of a tree: a + b + c + ... is one [60]
constexpr size_t evaluation_depth_max = 600;      // of nodes inside nodes, through macros [100]
constexpr size_t value_depth_max = 100;           // of lists in lists, when walked [10]
constexpr size_t key_depth_max = 8;               // of tuples that are keys [1]
constexpr int64_t range_length_max = 100'000;     // as Jinja's sandbox has it
constexpr size_t format_width_max = 10'000;       // in '%10d', center(), round() [10]
constexpr size_t error_message_bytes_max = 1024;  // of raise_exception [100]

/// What one rendering may spend. A step is a node evaluated, an element visited, or 32 bytes of
/// text touched: some 50 ns.
struct RenderLimits {
    uint64_t steps_max = 20'000'000;       // [100,000]
    uint64_t memory_bytes_max = 64 << 20;  // everything made on the way is kept until the end
    uint64_t output_bytes_max = 8 << 20;
};

}  // namespace teetee::jinja
