// SPDX-License-Identifier: Apache-2.0
// Links of the world, and the nodes' routes over them.
#include <algorithm>
#include <utility>

#include "sim/world.hpp"
#include "wire/codec.hpp"

namespace teetee::sim {
namespace {

constexpr Duration tick_interval = std::chrono::milliseconds(100);

}  // namespace

void World::send(uint32_t from, const pipeline::Send& send) {
    const auto is_there = [&](const Link& link, uint32_t side) {
        return link.ends[side] == from && link.sees[side] && link.ids[1 - side] == send.to;
    };
    for (uint32_t i = 0; i < links_.size(); ++i) {
        Link& link = links_[i];
        if (!is_there(link, 0) && !is_there(link, 1)) continue;
        const uint32_t side = is_there(link, 0) ? 0 : 1;
        const uint32_t to = link.ends[1 - side];
        const Bytes frame = wire::encode(send.frame);
        ++traffic_.frames_sent;
        if (!link.is_up || link.loses[side]) {
            ++traffic_.frames_lost;
            return;
        }
        Instant& last = link.arrives_last[side];
        last = std::max(last, now_ + delay() * link.clog);
        link.frame_last[side] = frame;
        at_node(to, last,
                [this, i, side, life = link.life, frame] { deliver(i, side, life, frame); });
        return;
    }
    report("link", "a frame to a node that the sender has no link to");
}

void World::deliver(uint32_t index, uint32_t from_side, uint64_t life, const Bytes& frame) {
    const Link& link = links_[index];
    const uint32_t to_side = 1 - from_side;
    if (link.life != life || !link.sees[to_side]) {
        ++traffic_.frames_lost;
        return;
    }
    log(Kind::frame, link.ends[from_side], link.ends[to_side], frame);
    auto decoded = wire::decode(frame, {});
    if (!decoded) return report("codec", decoded.error().message());
    step(link.ends[to_side], [&](auto& machine, pipeline::Effects& effects) {
        machine.on_frame(now_, link.ids[from_side], std::move(decoded).value(), effects);
    });
}

void World::cut(uint32_t index) {
    links_[index].is_cut = true;
    reset(index);
}

void World::reset(uint32_t index) {
    Link& link = links_[index];
    if (!link.is_up) return;
    ++traffic_.links_lost;
    ++link.life;
    link.is_up = false;
    link.loses = {};
    link.frame_last = {};
    for (const uint32_t side : {0u, 1u}) {
        if (nodes_[link.ends[side]].is_alive())
            tell_down(index, side);
        else
            link.sees[side] = false;
    }
}

void World::lose_from(uint32_t index, uint32_t side) {
    if (links_[index].is_up) links_[index].loses[side] = true;
}

void World::replay(uint32_t index, uint32_t side) {
    const Link& link = links_[index];
    if (!link.is_up || link.frame_last[side].empty()) return;
    at_node(link.ends[1 - side], std::max(now_, link.arrives_last[side]),
            [this, index, side, life = link.life, frame = link.frame_last[side]] {
                deliver(index, side, life, frame);
            });
}

void World::join(uint32_t index) {
    Link& link = links_[index];
    if (link.is_up || link.is_cut || link.sees[0] || link.sees[1]) return;
    for (const uint32_t end : link.ends) {
        if (!nodes_[end].is_alive() || nodes_[end].is_stalled) return;
    }
    ++link.life;
    link.is_up = true;
    for (const uint32_t side : {0u, 1u}) {
        link.ids[side] = nodes_[link.ends[side]].id;
        // No frame overtakes the news of its link.
        const Instant when = now_ + delay();
        link.arrives_last[1 - side] = when;
        tell_up(index, side, when);
    }
}

void World::tell_up(uint32_t index, uint32_t side, Instant when) {
    const uint32_t node = links_[index].ends[side];
    at_node(node, when, [this, index, side, node, life = links_[index].life] {
        Link& link = links_[index];
        if (link.life != life) return;
        log(Kind::up, link.ends[1 - side], node);
        link.sees[side] = true;
        step(node, [&](auto& machine, pipeline::Effects& effects) {
            machine.on_link_up(now_, link.ids[1 - side], effects);
        });
    });
}

void World::tell_down(uint32_t index, uint32_t side) {
    const uint32_t node = links_[index].ends[side];
    at_node(node, now_ + delay(), [this, index, side, node] {
        Link& link = links_[index];
        if (!link.sees[side] || link.is_up) return;
        log(Kind::down, link.ends[1 - side], node);
        link.sees[side] = false;
        step(node, [&](auto& machine, pipeline::Effects& effects) {
            machine.on_link_down(now_, link.ids[1 - side], effects);
        });
    });
}

/// Nodes dial who they are not linked to, and the router looks at who is alive.
void World::tick() {
    for (uint32_t i = 0; i < links_.size(); ++i) join(i);
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
        if (nodes_[i].entry && !nodes_[i].is_stalled) route(i);
    }
    at(now_ + tick_interval, [this] { tick(); });
}

void World::route(uint32_t index) {
    Node& node = nodes_[index];
    RouterView view{.entry = node.id, .stages = {}, .shift = node.replica};
    view.stages.resize(scenario_.slots - 1);
    for (const Node& other : nodes_) {
        if (other.slot == 0) continue;
        auto& slot = view.stages[other.slot - 1];
        slot.push_back(other.is_alive() ? std::optional(other.id) : std::nullopt);
    }
    std::set<Path> wanted = wanted_paths(view);
    std::vector<uint64_t> unwanted;
    for (const auto& [number, path] : node.routes) {
        if (wanted.erase(path) == 0) unwanted.push_back(number);
    }
    for (const Path& path : wanted) {
        ++traffic_.routes_made;
        uint64_t number = 0;
        step_entry(index, [&](pipeline::Entry& entry, pipeline::Effects& effects) {
            number = entry.add_route(now_, path, effects);
        });
        node.routes[number] = path;
    }
    for (const uint64_t number : unwanted) {
        node.routes.erase(number);
        step_entry(index, [&](pipeline::Entry& entry, pipeline::Effects& effects) {
            entry.remove_route(now_, number, effects);
        });
    }
}

void World::reroute(uint32_t index) {
    Node& node = nodes_[index];
    if (!node.entry || node.is_stalled) return;
    for (const auto& made : std::exchange(node.routes, {})) {
        const uint64_t number = made.first;
        step_entry(index, [&](pipeline::Entry& entry, pipeline::Effects& effects) {
            entry.remove_route(now_, number, effects);
        });
    }
}

}  // namespace teetee::sim
