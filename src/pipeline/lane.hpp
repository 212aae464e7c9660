// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "pipeline/drafter.hpp"
#include "pipeline/fair_queue.hpp"
#include "pipeline/kv_ledger.hpp"
#include "pipeline/prefix_index.hpp"
#include "pipeline/route.hpp"

namespace teetee::pipeline {

/// One route of an entry, with what is under way on it.
struct Lane {
    /// Tokens that the entry has guessed for a request; the first one's place.
    struct Guess {
        RequestId request{};
        Epoch epoch = 0;
        size_t place = 0;
        Drafter::Draft draft{};
        bool is_models = false;
    };
    /// Where a guess was wrong, this is not the token that stands there.
    struct Source {
        TokenId token = 0;
        bool is_guess = false;
        /// The draft model's.
        bool is_models = false;
    };
    struct Batch {
        Instant formed{};
        std::vector<wire::ForwardRow> rows{};
        /// What each row was computed from.
        std::vector<Source> sources{};
        std::vector<Guess> guesses{};
        /// Of rows that are computed by some stages only: it tells nothing of what batches take.
        bool is_replay = false;
    };

    Lane(RouteOptions options, PrefixId first_prefix)
        : route(options),
          ledger(options.engine),
          prefixes(options.engine.block_positions, first_prefix) {}

    Route route;
    Instant made{};
    /// What the entry has open on this route, on every stage the same.
    KvLedger ledger;
    /// The pages that the stages of this route retain.
    PrefixIndex prefixes;
    /// Requests by the order of their admission; the one that had the last turn to decode.
    std::map<uint64_t, RequestId> active{};
    uint64_t last_decoded = 0;
    /// Those with known tokens that are yet to be scheduled as prompt.
    FairQueue prompt_turns{};
    std::map<uint64_t, Batch> in_flight{};
    /// Why probes were refused that came back, the last reason of which the log has.
    std::string refusal{};
    /// It takes requests only where no other route is ready, and goes when it has none.
    bool is_draining = false;
    /// A node on it may have no prompts: it takes no requests at all, and ends those that it has.
    bool is_barred = false;
    /// Whether probes may have to wait for prompts on the links.
    Route::Links links() const {
        constexpr size_t rows_few = 64;
        size_t rows = 0;
        for (const auto& [id, batch] : in_flight) rows += batch.rows.size();
        return rows > rows_few ? Route::Links::loaded : Route::Links::idle;
    }
    bool is_open() const { return route.ready() && !is_barred; }
    bool is_preferred() const { return is_open() && !is_draining; }
    /// From forming a batch to its tokens, smoothed; 0 until the first one is back.
    Duration batch_time{};
    RowCost row_cost{};
};

}  // namespace teetee::pipeline
