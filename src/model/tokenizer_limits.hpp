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
constexpr size_t text_rules_bytes_max = 4 << 20;     // teetee.tokenizer.rules [400 KB]
constexpr size_t text_step_count_max = 64;           // of a normalizer or a pre-tokenizer [5]
constexpr size_t pattern_bytes_max = 16 << 10;       // one regular expression [1,500]
constexpr size_t unigram_text_bytes_max = 128;       // a token of a unigram model [48]

/// One call of encode; it may need some 100 times as much memory while it runs.
constexpr size_t encode_text_bytes_max = 4 << 20;
constexpr size_t normalized_text_bytes_max = 16 << 20;  // compatibility forms grow a text
constexpr size_t charsmap_text_bytes_max = 256;         // that one entry replaces [20]

/// What foreign regular expressions may cost in one call of encode: published ones take 50 steps a
/// byte of ordinary text.
constexpr size_t match_steps_per_byte_max = 256;
constexpr size_t match_steps_min = 1 << 20;

}  // namespace teetee::model
