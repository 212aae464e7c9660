// SPDX-License-Identifier: Apache-2.0
// Whom the nodes of the world know, link to, and route over: as node::Peers and node::Node do it.
#include <algorithm>
#include <charconv>
#include <set>

#include "base/assert.hpp"
#include "pipeline/router.hpp"
#include "sim/world.hpp"

namespace teetee::sim {
namespace {

constexpr std::string_view url_begin = "tls://node-";
/// A refused peer is not dialled again at once.
constexpr Duration redial_interval = std::chrono::seconds(1);

/// The same for all lives at that place.
std::string url_of(uint32_t node) {
    return std::string(url_begin) + std::to_string(node);
}

uint32_t node_at(std::string_view url) {
    url.remove_prefix(url_begin.size());
    uint32_t node = 0;
    std::from_chars(url.data(), url.data() + url.size(), node);
    return node;
}

std::set<uint64_t> numbers_of(const pipeline::Entry& entry) {
    std::set<uint64_t> out;
    for (const pipeline::Route* route : entry.routes()) out.insert(route->id().number);
    return out;
}

}  // namespace

/// The registry knows where the entries and the first stage are, and nothing else of anybody.
void World::make_directory(uint32_t index) {
    Node& node = nodes_[index];
    const attest::Statement& own = node.identity->evidence->statement;
    node.directory = std::make_unique<pipeline::Directory>(pipeline::DirectoryOptions{
        .node_id = node.id(),
        .model_root = own.model_root,
        .layers = own.layers,
        .layer_count = limits(0).layer_count,
        .sign =
            [identity = node.identity.get()](const attest::Advert& advert) {
                return attest::sign_advert(identity->receipt_key, advert);
            },
        .lifetime = std::chrono::seconds(15),
        .refresh = std::chrono::seconds(5)});
    std::vector<RegistryEntry> registry;
    for (uint32_t i = 0; i <= scenario_.entries; ++i) registry.push_back({.url = url_of(i)});
    node.directory->set_registry(std::move(registry));
}

void World::tick() {
    if (is_closed_) return;
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
        const Node& node = nodes_[i];
        if (!node.is_alive() || node.is_stalled) continue;
        if (now_ >= node.renews_at) renew(i);
        if (now_ >= node.rechecks_at) recheck(i);
        look_around(i);
    }
    at(now_ + tick_interval, [this] { tick(); });
}

void World::close() {
    is_closed_ = true;
    for (uint32_t i = 0; i < nodes_.size(); ++i) reroute(i);
}

void World::look_around(uint32_t index) {
    Node& node = nodes_[index];
    if (now_ >= node.directory->due_at()) {
        describe(index);
        gossip(index, node.directory->on_timer(now_, unix_now(index)));
    }
    for (const pipeline::WantedLink& wanted : node.directory->wanted(now_))
        dial(index, node_at(wanted.url));
    if (node.entry) plan_routes(index);
}

void World::describe(uint32_t index) {
    Node& node = nodes_[index];
    const pipeline::KvAmount free = node.stage ? node.stage->kv_free() : node.entry->kv_free();
    const auto told =
        node.directory->set_own({.url = url_of(index),
                                 .draining = node.is_draining,
                                 .load = {.sequences_free = static_cast<uint32_t>(free.sequences),
                                          .positions_free = free.positions}});
    TT_ASSERT(told);
}

void World::drain(uint32_t index) {
    Node& node = nodes_[index];
    if (!node.is_alive() || node.is_stalled) return;
    node.is_draining = true;
    describe(index);
}

void World::gossip(uint32_t index, const pipeline::Gossip& gossip) {
    for (const wire::Adverts& message : messages_of(gossip)) {
        for (const wire::NodeId& to : gossip.to) send(index, {to, {{}, message}});
    }
}

void World::take_adverts(uint32_t index, const wire::NodeId& from, wire::Adverts adverts) {
    gossip(index, nodes_[index].directory->on_adverts(now_, unix_now(index), from,
                                                      pipeline::adverts_of(std::move(adverts))));
}

/// Whoever lives at that place answers, if anybody does.
void World::dial(uint32_t from, uint32_t to) {
    const uint32_t index = link_between(from, to);
    Link& link = links_[index];
    if (link.is_up || link.is_cut || link.sees[0] || link.sees[1] || now_ < link.dials_at) return;
    if (!nodes_[to].is_alive() || nodes_[to].is_stalled) return;
    if (!shake_hands(link)) {
        ++traffic_.peers_refused;
        link.dials_at = now_ + redial_interval;
        return;
    }
    ++link.life;
    link.is_up = true;
    for (const uint32_t side : {0u, 1u}) {
        // No frame overtakes the news of its link.
        const Instant when = now_ + delay();
        link.arrives_last[1 - side] = when;
        tell_up(index, side, when);
    }
}

void World::plan_routes(uint32_t index) {
    Node& node = nodes_[index];
    const auto others = pipeline::router_nodes(node.directory->nodes(now_));
    step_entry(index, [&](pipeline::Entry& entry, pipeline::Effects& effects) {
        entry.use_nodes(now_, others, effects);
    });
}

void World::reroute(uint32_t index) {
    Node& node = nodes_[index];
    if (!node.entry || node.is_stalled) return;
    step_entry(index, [&](pipeline::Entry& entry, pipeline::Effects& effects) {
        for (const uint64_t number : numbers_of(entry)) entry.remove_route(now_, number, effects);
    });
}

}  // namespace teetee::sim
