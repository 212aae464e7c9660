// SPDX-License-Identifier: Apache-2.0
// What nodes sign of an entry's settlements; the rest of the entry is in entry.cpp.
#include <algorithm>

#include "base/assert.hpp"
#include "pipeline/entry.hpp"
#include "wire/limits.hpp"

namespace teetee::pipeline {

void Entry::ask_to_sign(Instant now, SignOffOrder order, Effects& effects) {
    if (sign_offs_.is_full()) {
        return SignOffCollector::refuse(
            order, fail(ErrorCode::overloaded, "other settlements wait for signatures"), effects);
    }
    SignOffCollector::Ways ways;
    for (auto& [node, body] : order.bodies) {
        TT_ASSERT(!body.empty() && body.size() <= wire::Limits{}.sign_off_bytes_max);
        if (node == options_.node_id) {
            ways.emplace(node, wire::RouteId{});
            effects.sign_offs.push_back({order.id, std::move(body)});
        } else if (const Lane* lane = lane_over(node)) {
            ways.emplace(node, lane->route.id());
            send(*lane, wire::SignOff{order.id, node, std::move(body)}, effects);
        }
    }
    sign_offs_.begin(now, order, std::move(ways), effects);
}

void Entry::on_signed_off(Instant, SignOffResult result, Effects& effects) {
    if (!sign_offs_.on_answer({.id = result.id,
                               .node = options_.node_id,
                               .route = {},
                               .signature = std::move(result.signature)},
                              effects)) {
        ++counters_.messages_dropped;
    }
}

void Entry::on_signed_off(const Lane& lane, const wire::SignedOff& answer, Effects& effects) {
    if (!sign_offs_.on_answer({.id = answer.ask,
                               .node = answer.node,
                               .route = lane.route.id(),
                               .signature = result_of(answer)},
                              effects)) {
        ++counters_.messages_dropped;
    }
}

/// A route that is ready and has the node; one that stays, if there is one.
const Lane* Entry::lane_over(const wire::NodeId& node) const {
    const Lane* draining = nullptr;
    for (const auto& [number, lane] : lanes_) {
        if (!lane->route.ready() || std::ranges::count(lane->route.path(), node) == 0) continue;
        if (!lane->is_draining) return lane.get();
        draining = lane.get();
    }
    return draining;
}

}  // namespace teetee::pipeline
