// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace teetee::grammar {

// What a grammar or a schema can make of memory and time. All of it is counted, never measured, so
// that the same grammar and text meet the same bound on every machine.

inline constexpr size_t source_bytes_max = 64u << 10;
inline constexpr size_t nesting_max = 64;      // groups of GBNF and of patterns; JSON
inline constexpr size_t rules_max = 1u << 13;  // as written
inline constexpr size_t expressions_max = 1u << 16;
inline constexpr size_t states_max = 1u << 16;  // of the automaton; its edges likewise
inline constexpr uint32_t repetitions_max = 1u << 15;
inline constexpr size_t ranges_visited_max = 1u << 20;  // of sets, while they become states

inline constexpr size_t any_json_depth_max = 16;  // where a schema says nothing about a value
inline constexpr size_t property_name_max = 256;  // bytes, beside which others are to be told apart
inline constexpr size_t schema_values_max = 1u << 20;  // read while schemas are merged

inline constexpr uint32_t stack_depth_max = 256;      // rules inside rules at one place of a text
inline constexpr size_t stacks_max = 1u << 12;        // ways to read a text that are open at a time
inline constexpr uint32_t step_cost_max = 1u << 14;   // moves to find the stacks behind one byte
inline constexpr uint64_t mask_cost_max = 1u << 21;   // the same for a whole vocabulary
inline constexpr uint64_t batch_cost_max = 1u << 23;  // for the masks of one batch
inline constexpr size_t cached_states_max = 1u << 13;
inline constexpr size_t cached_readings_max = 1u << 19;  // of all cached states together
inline constexpr size_t cached_stack_nodes_max = 1u << 16;
inline constexpr size_t cached_masks_max = 16;

}  // namespace teetee::grammar
