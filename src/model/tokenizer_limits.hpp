// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace teetee::model {

// Bounds on what a vocabulary or a text can size; in brackets what published models use.

constexpr size_t token_count_max = 1 << 20;          // [262,144]
constexpr size_t merge_count_max = 1 << 20;          // [about 500,000]
constexpr size_t token_text_bytes_max = 4096;        // [1,024]
constexpr size_t special_text_bytes_max = 512;       // control, user-defined, unknown [about 100]
constexpr size_t chat_template_bytes_max = 1 << 20;  // [20 KB]

/// One call of encode; it may need some 100 times as much memory while it runs.
constexpr size_t encode_text_bytes_max = 4 << 20;

}  // namespace teetee::model
