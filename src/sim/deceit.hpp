// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "sim/lies.hpp"
#include "sim/random.hpp"

namespace teetee::sim {

/// What a faulty peer does with its next frame. Links keep order and deliver once (TLS), so this
/// takes a node that breaks the rules.
enum class Deceit : uint8_t {
    none,
    /// Sends it twice.
    twice,
    /// Sends it behind the one after.
    swap,
    /// Sends it with a bit changed.
    garble,
};

/// The frame of `liar` with one bit changed. Left as it is where the change would make pages or a
/// probe false: what is retained under wrong ids can spoil any later answer on that route.
Bytes garbled(const Bytes& frame, const wire::NodeId& liar, Random& random, Lies& lies);

}  // namespace teetee::sim
