// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/world.hpp"

namespace teetee::sim {

/// Rule "memory": what a node says it uses is within what it has.
void check_memory(World& world, uint32_t node);

/// Rule "recovery": when all has been well for long, every entry has a route that is ready.
void check_recovery(World& world);

/// Rule "leak": without routes no node holds a page, a position of its KV cache, or a quote that is
/// being made.
void check_nothing_left(World& world);

/// Rule "idle": without requests no node holds a sequence, a job or a queue.
void check_idle(World& world);

}  // namespace teetee::sim
