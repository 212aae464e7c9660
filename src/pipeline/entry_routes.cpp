// SPDX-License-Identifier: Apache-2.0
// The entry's routes; the rest of the entry is in entry.cpp.
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "pipeline/entry.hpp"

namespace teetee::pipeline {

uint64_t Entry::add_route(Instant now, std::vector<wire::NodeId> path, Effects& effects) {
    const uint64_t number = next_route_++;
    const bool is_alone = path.size() == 1;
    TT_ASSERT(is_alone == options_.engine.is_tail());
    const RouteOptions options{.id = {options_.node_id, number},
                               .path = std::move(path),
                               .engine = options_.engine,
                               .format = options_.activations,
                               .probe_timeout = options_.probe_timeout};
    const PrefixId first_prefix = options_.first_prefix + (number << 40);
    Lane& lane = *(lanes_[number] = std::make_unique<Lane>(options, first_prefix));
    lane.made = now;
    lane.is_barred = is_barred(lane.route.path());
    for (const wire::NodeId& peer : peers_) lane.route.on_link_up(peer);
    if (!is_alone && lane.route.is_linked()) send_probe(now, lane, effects);
    if (!tick_at_) {
        tick_at_ = now + options_.probe_interval;
        effects.timers.push_back({tick_timer_id, *tick_at_});
    }
    schedule(now, effects);
    return number;
}

/// A route over barred nodes stays while they are there: they may yet have to sign for what they
/// computed, and may be let in again.
void Entry::use_nodes(Instant now, const std::vector<RouterNode>& nodes, Effects& effects) {
    std::vector<Path> current;
    for (const auto& [number, lane] : lanes_) current.push_back(lane->route.path());
    std::vector<RouterNode> usable;
    std::ranges::copy_if(nodes, std::back_inserter(usable), [this](const RouterNode& node) {
        return !barred_.contains(node.node_id);
    });
    const std::vector<Path> wanted = plan_paths({.entry = options_.node_id,
                                                 .layers = options_.engine.layers,
                                                 .layer_count = options_.engine.layer_count},
                                                usable, current);
    const auto is_there = [&](const wire::NodeId& id) {
        return id == options_.node_id || std::ranges::count(nodes, id, &RouterNode::node_id) > 0;
    };
    for (const auto& [number, lane] : lanes_) {
        const Path& path = lane->route.path();
        const bool is_kept = lane->is_barred && std::ranges::all_of(path, is_there);
        lane->is_draining = !is_kept && std::ranges::count(wanted, path) == 0;
    }
    for (const Path& path : wanted) {
        if (std::ranges::count(current, path) == 0) add_route(now, path, effects);
    }
    schedule(now, effects);
}

void Entry::bar_nodes(Instant now, std::set<wire::NodeId> nodes, Effects& effects) {
    if (nodes == barred_) return;
    barred_ = std::move(nodes);
    for (const auto& [number, lane] : lanes_) lane->is_barred = is_barred(lane->route.path());
    schedule(now, effects);
}

bool Entry::is_barred(const Path& path) const {
    return std::ranges::any_of(path,
                               [this](const wire::NodeId& id) { return barred_.contains(id); });
}

void Entry::remove_route(Instant now, uint64_t number, Effects& effects) {
    const auto found = lanes_.find(number);
    if (found == lanes_.end()) return;
    lose_route(now, *found->second, fail(ErrorCode::route_unavailable, "route: given up"), effects);
    lanes_.erase(found);
    schedule(now, effects);
}

void Entry::end_drained(Instant now, Effects& effects) {
    std::vector<uint64_t> over;
    for (const auto& [number, lane] : lanes_) {
        const wire::RouteId& id = lane->route.id();
        const bool is_awaited =
            records_.waits_for(id) || quotes_.waits_for(id) || sign_offs_.waits_for(id);
        if (lane->is_draining && lane->active.empty() && !is_awaited) over.push_back(number);
    }
    for (const uint64_t number : over) remove_route(now, number, effects);
}

bool Entry::ready() const {
    return std::ranges::any_of(lanes_, [](const auto& lane) { return lane.second->is_open(); });
}

std::vector<const Route*> Entry::open_routes() const {
    std::vector<const Route*> out;
    for (const auto& [number, lane] : lanes_) {
        if (lane->is_open()) out.push_back(&lane->route);
    }
    return out;
}

std::vector<const Route*> Entry::routes() const {
    std::vector<const Route*> out;
    for (const auto& [number, lane] : lanes_) out.push_back(&lane->route);
    return out;
}

const Route* Entry::route(uint64_t number) const {
    const auto found = lanes_.find(number);
    return found == lanes_.end() ? nullptr : &found->second->route;
}

}  // namespace teetee::pipeline
