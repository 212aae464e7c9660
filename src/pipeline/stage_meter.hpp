// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/histogram.hpp"

namespace teetee::pipeline {

/// What became of a node's batches since its start: how long they waited for the engine once they
/// were there, how long that computed them, and how many rows they had.
struct StageMeter {
    /// Of a stage behind the entry; an entry forms its batches when its engine is idle.
    Histogram wait{seconds_buckets};
    Histogram compute{seconds_buckets};
    Histogram rows{rows_buckets};
};

/// Of an entry alone.
struct EntryMeter {
    /// Requests, from their submission until they are on a route; each time.
    Histogram queue{seconds_buckets};
    /// Batches, from being formed until their tokens are there: once through all stages.
    Histogram pass{seconds_buckets};
};

}  // namespace teetee::pipeline
