// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/bytes.hpp"
#include "base/request.hpp"

namespace teetee::attest {

/// Leaf of one row of activations, whose bytes are those on the wire: SHA-256 over the
/// length-prefixed "teetee row v1", the salt, the position (u32) and the row.
Digest row_leaf(const TraceSalt& salt, Position position, ByteView row);

/// Leaf of the token that stands at a position: as above, with "teetee token v1" and the token
/// (u32). The token that the tail samples from the row of position p stands at p + 1, so that its
/// leaf is the one that the entry has for the row that follows.
Digest token_leaf(const TraceSalt& salt, Position position, TokenId token);

/// How tokens are picked: SHA-256 over the length-prefixed "teetee sampling v2", the salt, the
/// number of the prompt's positions and every option, little-endian.
Digest sampling_digest(const TraceSalt& salt, Position prompt_positions,
                       const SamplingOptions& sampling);

/// Leaves of neighbouring positions, from `begin` on.
struct Trace {
    Position begin = 0;
    std::vector<Digest> leaves{};

    Position end() const { return begin + static_cast<Position>(leaves.size()); }
    bool operator==(const Trace&) const = default;
};

/// What is signed of a trace.
struct TraceDigest {
    Position begin = 0;
    Position end = 0;
    Digest digest{};
    bool operator==(const TraceDigest&) const = default;
};

/// Of the leaves up to `end`, which the trace MUST have: SHA-256 over the length-prefixed
/// "teetee trace v1", begin and end (u32 each) and the leaves.
TraceDigest digest_of(const Trace& trace, Position end);

}  // namespace teetee::attest
