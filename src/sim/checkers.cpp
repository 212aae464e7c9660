// SPDX-License-Identifier: Apache-2.0
#include "sim/checkers.hpp"

#include <string>

namespace teetee::sim {
void check_memory(World& world, uint32_t index) {
    const Node& node = world.nodes()[index];
    const pipeline::KvAmount all = pipeline::KvLedger(node.engine->limits()).capacity();
    const pipeline::KvAmount part = node.entry ? node.entry->kv_used() : node.stage->kv_free();
    if (!pipeline::fits(part, {}, all)) {
        world.report("memory",
                     "node " + std::to_string(index) + ": have " + std::to_string(part.positions) +
                         " positions and " + std::to_string(part.sequences) + " sequences of " +
                         std::to_string(all.positions) + " and " + std::to_string(all.sequences));
    }
}

void check_recovery(World& world) {
    for (uint32_t i = 0; i < world.nodes().size(); ++i) {
        const Node& node = world.nodes()[i];
        if (node.entry && !node.entry->ready())
            world.report("recovery", "node " + std::to_string(i) + ": no route is ready");
    }
}

void check_idle(World& world) {
    for (uint32_t i = 0; i < world.nodes().size(); ++i) {
        const Node& node = world.nodes()[i];
        if (!node.is_alive()) continue;
        const auto expect_none = [&](size_t count, const char* what) {
            if (count == 0) return;
            world.report("idle", "node " + std::to_string(i) + " holds " + std::to_string(count) +
                                     " " + what);
        };
        // A request that changed routes a moment ago may have left something parked, which goes by
        // itself (StageOptions::park_time) and is gone when check_nothing_left looks.
        const size_t parked = node.stage ? node.stage->parked_count() : 0;
        expect_none(node.engine->sequence_count() - parked, "sequences in its engine");
        expect_none(node.is_computing ? 1 : 0, "running jobs");
        if (node.entry) {
            expect_none(node.entry->active_count(), "active requests");
            expect_none(node.entry->queued_count(), "queued requests");
            expect_none(node.entry->in_flight_count(), "batches in flight");
        } else {
            expect_none(node.stage->sequence_count(), "sequences");
        }
    }
}

void check_nothing_left(World& world) {
    for (uint32_t i = 0; i < world.nodes().size(); ++i) {
        const Node& node = world.nodes()[i];
        if (!node.is_alive()) continue;
        const auto expect_none = [&](uint64_t count, const char* what) {
            if (count == 0) return;
            world.report("leak", "node " + std::to_string(i) + " is left with " +
                                     std::to_string(count) + " " + what);
        };
        expect_none(node.engine->sequence_count(), "sequences in its engine");
        expect_none(node.engine->retained_count(), "retained pages in its engine");
        if (node.entry) {
            expect_none(node.entry->kv_used().positions, "KV positions in use");
            expect_none(node.entry->retained_page_count(), "retained pages");
            expect_none(node.entry->quoting_count(), "receipts that wait for quotes");
        } else {
            const pipeline::KvAmount all = pipeline::KvLedger(node.engine->limits()).capacity();
            const pipeline::KvAmount free = node.stage->kv_free();
            expect_none(all.positions - free.positions, "KV positions in use");
            expect_none(all.sequences - free.sequences, "sequences");
            expect_none(node.stage->retained_page_count(), "retained pages");
            expect_none(node.stage->route_count(), "routes");
        }
    }
}

}  // namespace teetee::sim
