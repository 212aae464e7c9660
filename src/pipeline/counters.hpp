// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace teetee::pipeline {

/// What a node has done since its start, for metering and metrics.
struct Counters {
    uint64_t batches = 0;
    /// Rows given to the engine: prompt tokens and decoded tokens.
    uint64_t rows = 0;
    /// Of the entry: prompt rows that led to a first token, and tokens delivered to clients.
    uint64_t prompt_tokens = 0;
    uint64_t completion_tokens = 0;
    /// Of the entry: tokens guessed ahead, and those of them that led to a further one.
    uint64_t tokens_drafted = 0;
    uint64_t drafts_right = 0;
    /// Of both of them those that were the draft model's.
    uint64_t model_tokens_drafted = 0;
    uint64_t model_drafts_right = 0;
    /// What the draft model had not answered in time.
    uint64_t drafts_late = 0;
    /// Of the entry: prompt tokens that retained pages spared, counted with the first token; and
    /// what became of such pages.
    uint64_t cached_tokens = 0;
    uint64_t prefix_pages_retained = 0;
    uint64_t prefix_pages_evicted = 0;
    /// Sequences that were to begin behind pages which the node does not have.
    uint64_t prefixes_unknown = 0;
    /// Rows (of a Forward or Tokens) for sequences that are over, and rows never asked for.
    uint64_t rows_dropped = 0;
    /// Messages that had no business here, came twice or came too late.
    uint64_t messages_dropped = 0;
    uint64_t sequences_failed = 0;
    /// Of the entry: requests that had to go on over another route, each time.
    uint64_t reroutes = 0;
    /// Of the entry: those of them that went on from what was left of the earlier route.
    uint64_t resumes = 0;
    /// Rows sent on once more without being computed.
    uint64_t rows_replayed = 0;
    bool operator==(const Counters&) const = default;
};

}  // namespace teetee::pipeline
