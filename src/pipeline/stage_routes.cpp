// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stage_routes.hpp"

namespace teetee::pipeline {

std::map<wire::RouteId, Neighbours> StageRoutes::on_link_down(const wire::NodeId& peer) {
    peers_.erase(peer);
    std::map<wire::RouteId, Neighbours> lost;
    for (auto at = routes_.begin(); at != routes_.end();) {
        const auto found = at++;
        if (found->second.previous == peer || found->second.next == peer)
            lost.insert(routes_.extract(found));
    }
    return lost;
}

const Neighbours* StageRoutes::join(const wire::RouteId& id, const wire::NodeId& from,
                                    const wire::Probe& probe) {
    const auto neighbours = neighbours_on(id, probe);
    if (!neighbours || neighbours->previous != from || !peers_.contains(neighbours->next))
        return nullptr;
    const auto known = routes_.find(id);
    if (known != routes_.end()) return known->second == *neighbours ? &known->second : nullptr;
    if (routes_.size() >= routes_max) return nullptr;
    return &routes_.emplace(id, *neighbours).first->second;
}

std::optional<wire::NodeId> StageRoutes::missing_next(const wire::RouteId& id,
                                                      const wire::NodeId& from,
                                                      const wire::Probe& probe) const {
    const auto neighbours = neighbours_on(id, probe);
    if (!neighbours || neighbours->previous != from || peers_.contains(neighbours->next)) return {};
    return neighbours->next;
}

const Neighbours* StageRoutes::find(const wire::RouteId& id) const {
    const auto found = routes_.find(id);
    return found == routes_.end() ? nullptr : &found->second;
}

/// As many hops as the probe has, so many nodes are before this one.
std::optional<Neighbours> StageRoutes::neighbours_on(const wire::RouteId& id,
                                                     const wire::Probe& probe) const {
    const size_t place = probe.hops.size();
    const bool fits = place > 0 && place < probe.path.size() && probe.path[place] == own_.node &&
                      probe.path.front() == id.entry;
    if (!fits) return {};
    const bool is_last = place + 1 == probe.path.size();
    if (is_last != own_.is_tail) return {};
    return Neighbours{probe.path[place - 1], is_last ? probe.path.front() : probe.path[place + 1]};
}

}  // namespace teetee::pipeline
