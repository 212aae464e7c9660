// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace teetee::sim {

/// How often each fault is chosen, as a share of the sum; 0 is never.
struct FaultWeights {
    uint32_t kill = 0;
    uint32_t restart = 0;
    uint32_t cut = 0;
    uint32_t one_way = 0;
    uint32_t partition = 0;
    uint32_t clog = 0;
    uint32_t slow = 0;
    uint32_t stall = 0;
    uint32_t flap = 0;
    uint32_t reroute = 0;
    uint32_t cancel = 0;
    uint32_t drain = 0;
    uint32_t skew = 0;
    uint32_t no_quotes = 0;
    uint32_t revoke = 0;
    uint32_t lie = 0;
    /// Of peers that break the rules, which no honest one does.
    uint32_t replay = 0;

    uint32_t twice = 0;
    uint32_t swap = 0;
    uint32_t garble = 0;

    bool has_false_frames() const { return replay + twice + swap + garble > 0; }
    bool has_bad_evidence() const { return skew + no_quotes > 0; }
};

/// Of a scenario's text.
inline constexpr size_t scenario_bytes_max = 64u << 10;

/// A network, its load and its faults (docs/simulation.md). Every field is a key of the file.
struct Scenario {
    /// Parts of the model, the entries' included.
    uint32_t slots = 3;
    /// Nodes of each slot behind the entries.
    uint32_t replicas = 2;
    uint32_t entries = 2;
    uint32_t clients = 4;
    uint32_t requests = 40;
    /// Half of the requests are of one of them, the others of none.
    uint32_t tenants = 2;
    /// Percent of the requests; the seed chooses how long they have.
    uint32_t deadlines = 0;
    uint32_t prompt_tokens_max = 24;
    uint32_t answer_tokens_max = 24;
    /// Virtual time; in the last third nothing is at fault.
    uint32_t seconds = 30;
    /// Of each node's KV cache.
    uint32_t sequences = 16;
    uint32_t positions = 1024;
    uint32_t delay_max_ms = 5;
    /// Mean time between faults.
    uint32_t fault_interval_ms = 500;
    /// The longest time until a fault heals.
    uint32_t fault_duration_max_ms = 4000;
    /// 1: the seed switches about half of the faults off, lest they hide each other.
    uint32_t swarm = 0;
    /// 1: every other replica has room for small requests only.
    uint32_t uneven = 0;
    /// 1: entries have a draft model, which knows nothing and is now and then late or silent.
    uint32_t draft_model = 0;
    FaultWeights weights{};
};

/// Lines of "key value" with a number each; # begins a comment. A key that is left out keeps its
/// default. Error: config_invalid naming the line, what it has and what it needs (unknown or
/// repeated key, no number, out of its range); limit_exceeded for a text above 64 KiB.
Result<Scenario> parse_scenario(std::string_view text);

}  // namespace teetee::sim
