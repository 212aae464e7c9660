// SPDX-License-Identifier: Apache-2.0
// What the nodes of the world want done, and the links between them.
#include <algorithm>
#include <utility>

#include "sim/world.hpp"
#include "wire/codec.hpp"

namespace teetee::sim {
namespace {

constexpr Duration quote_time = std::chrono::milliseconds(50);

}  // namespace

void World::act(uint32_t index, pipeline::Effects effects) {
    for (const pipeline::Send& message : effects.sends) send(index, message);
    if (on_client_event) {
        for (const pipeline::ClientEvent& event : effects.events) on_client_event(index, event);
    }
    for (pipeline::ComputeJob& job : effects.jobs) compute(index, std::move(job));
    for (const pipeline::QuoteJob& job : effects.quotes) make_quote(index, job);
    for (const pipeline::DraftJob& job : effects.drafts) draft(index, job);
    for (const pipeline::Timer& timer : effects.timers) {
        at_node(index, timer.at, [this, index, id = timer.id] {
            log(Kind::timer, index, index);
            step(index,
                 [&](auto& machine, pipeline::Effects& more) { machine.on_timer(now_, id, more); });
        });
    }
    for (const wire::NodeId& node : effects.suspects) nodes_[index].directory->suspect(now_, node);
}

void World::compute(uint32_t index, pipeline::ComputeJob job) {
    Node& node = nodes_[index];
    if (std::exchange(node.is_computing, true))
        report("engine", "a job came before the one before it was done");
    const auto rows = static_cast<int64_t>(job.rows.size());
    const Duration time = std::chrono::microseconds(500 + 20 * rows) * node.slowness;
    auto result = std::make_shared<pipeline::ComputeResult>(node.engine->compute(std::move(job)));
    if (node.engine->fault()) report("engine", "need: " + *node.engine->fault());
    at_node(index, now_ + time, [this, index, result] {
        log(Kind::computed, index, index, result->activations);
        nodes_[index].is_computing = false;
        step(index, [&](auto& machine, pipeline::Effects& effects) {
            machine.on_computed(now_, std::move(*result), effects);
        });
    });
}

void World::make_quote(uint32_t index, const pipeline::QuoteJob& job) {
    const Node& node = nodes_[index];
    pipeline::QuoteResult result{job.request,
                                 fail(ErrorCode::evidence_unavailable, "TEE: it hangs")};
    if (!node.tee_hangs) result.quote = Trust::quote(node.build, job.report_data);
    at_node(index, now_ + quote_time, [this, index, result = std::move(result)] {
        log(Kind::quoted, index, index);
        step(index, [&](auto& machine, pipeline::Effects& effects) {
            machine.on_quoted(now_, result, effects);
        });
    });
}

/// Guesses blindly, which is right now and then where there are so few tokens. It may say too much
/// or too little, name a token that there is not, be late or say nothing for long. One job after
/// the other.
void World::draft(uint32_t index, const pipeline::DraftJob& job) {
    if (job.text.empty()) return;
    pipeline::DraftResult result{.request = job.request, .place = job.text.size()};
    result.is_ready = drafts_.below(8) > 0;
    const uint64_t count = drafts_.below(job.count + 3);
    for (uint64_t i = 0; i < count; ++i) {
        const uint32_t kinds = drafts_.below(16) > 0 ? vocabulary : vocabulary + 1;
        result.tokens.push_back(static_cast<TokenId>(drafts_.below(kinds)));
    }
    const bool is_silent = drafts_.below(64) == 0;
    const bool is_late = drafts_.below(64) == 0;
    const Duration late = std::chrono::milliseconds(is_silent ? 6000 : 1500);
    const Duration time = is_silent || is_late ? late : std::chrono::milliseconds(drafts_.up_to(3));
    Instant& free_at = nodes_[index].draft_model_free_at;
    free_at = std::max(free_at, now_) + time;
    at_node(index, free_at, [this, index, result = std::move(result)] {
        log(Kind::drafted, index, index);
        step_entry(index, [&](pipeline::Entry& entry, pipeline::Effects& effects) {
            entry.on_drafted(now_, result, effects);
        });
    });
}

void World::send(uint32_t from, const pipeline::Send& message) {
    const auto place = places_.find(message.to);
    if (place != places_.end() && place->second != from) {
        const uint32_t index = link_between(from, place->second);
        Link& link = links_[index];
        const uint32_t side = link.ends[0] == from ? 0 : 1;
        if (link.sees[side] && link.ids[1 - side] == message.to) {
            if (std::holds_alternative<wire::Forward>(message.frame.message))
                check_evidence(link, side);
            const auto* open = std::get_if<wire::Open>(&message.frame.message);
            const bool resumes = open != nullptr && open->resumed_positions > 0;
            traffic_.resumes += resumes && nodes_[from].entry ? 1 : 0;
            traffic_.replays += std::holds_alternative<wire::Replay>(message.frame.message) ? 1 : 0;
            return transmit(index, side, wire::encode(message.frame));
        }
    }
    report("link", "a frame to a node that the sender has no link to");
}

void World::transmit(uint32_t index, uint32_t side, Bytes frame) {
    Link& link = links_[index];
    if (!link.is_up || link.loses[side]) {
        return;
    }
    switch (std::exchange(link.deceit[side], Deceit::none)) {
        case Deceit::none:
            break;
        case Deceit::twice:
            put(index, side, frame);
            break;
        case Deceit::swap:
            link.kept_back[side] = std::move(frame);
            return;
        case Deceit::garble:
            frame = garbled(frame, link.ids[side], deceit_, lies_);
            break;
    }
    put(index, side, std::move(frame));
    if (!link.kept_back[side].empty()) put(index, side, std::exchange(link.kept_back[side], {}));
}

void World::put(uint32_t index, uint32_t side, Bytes frame) {
    Link& link = links_[index];
    Instant& last = link.arrives_last[side];
    last = std::max(last, now_ + delay() * link.clog);
    link.frame_last[side] = frame;
    at_node(link.ends[1 - side], last,
            [this, index, side, life = link.life, frame = std::move(frame)] {
                deliver(index, side, life, frame);
            });
}

void World::deliver(uint32_t index, uint32_t from_side, uint64_t life, const Bytes& frame) {
    const Link& link = links_[index];
    const uint32_t to_side = 1 - from_side;
    if (link.life != life || !link.sees[to_side]) {
        return;
    }
    log(Kind::frame, link.ends[from_side], link.ends[to_side], frame);
    auto decoded = wire::decode(frame, {});
    // An attested peer that speaks garbage is broken: the link is not worth keeping.
    if (!decoded && lies_.nodes.contains(link.ids[from_side])) return reset(index);
    if (!decoded) return report("codec", decoded.error().message());
    const uint32_t node = link.ends[to_side];
    const wire::NodeId& from = link.ids[from_side];
    if (auto* adverts = std::get_if<wire::Adverts>(&decoded->message))
        return take_adverts(node, from, std::move(*adverts));
    step(node, [&](auto& machine, pipeline::Effects& effects) {
        machine.on_frame(now_, from, std::move(decoded).value(), effects);
    });
}

void World::cut(uint32_t index) {
    links_[index].is_cut = true;
    reset(index);
}

void World::reset(uint32_t index) {
    Link& link = links_[index];
    if (!link.is_up) return;
    ++link.life;
    link.is_up = false;
    link.loses = {};
    link.frame_last = {};
    link.deceit = {};
    link.kept_back = {};
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

void World::deceive(uint32_t index, uint32_t side, Deceit deceit) {
    Link& link = links_[index];
    if (link.is_up && link.kept_back[side].empty()) link.deceit[side] = deceit;
}

void World::replay(uint32_t index, uint32_t side) {
    const Link& link = links_[index];
    if (!link.is_up || link.frame_last[side].empty()) return;
    at_node(link.ends[1 - side], std::max(now_, link.arrives_last[side]),
            [this, index, side, life = link.life, frame = link.frame_last[side]] {
                deliver(index, side, life, frame);
            });
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
        gossip(node, nodes_[node].directory->on_link_up(now_, link.ids[1 - side]));
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
        nodes_[node].directory->on_link_down(now_, link.ids[1 - side]);
    });
}

}  // namespace teetee::sim
