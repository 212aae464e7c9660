// SPDX-License-Identifier: Apache-2.0
// What the nodes of the world show and take as evidence: as net::Link and node::Node do it.
#include "sim/world.hpp"

namespace teetee::sim {

/// Each side verifies the other's evidence.
bool World::shake_hands(Link& link) {
    for (const uint32_t side : {0u, 1u}) {
        const Node& shown = nodes_[link.ends[side]];
        link.ids[side] = shown.id();
        link.evidence[side] = shown.identity->evidence;
        link.valid_last[side] = now_;
        if (!trust_.verify(*link.evidence[side], judge(link.ends[1 - side]))) return false;
    }
    return true;
}

void World::show_evidence(uint32_t index) {
    const Node& node = nodes_[index];
    const Evidence& evidence = *node.identity->evidence;
    if (node.entry)
        node.entry->set_evidence(evidence.statement_bytes, evidence.quote);
    else
        node.stage->set_evidence(evidence.statement_bytes, evidence.quote);
}

void World::renew(uint32_t index) {
    Node& node = nodes_[index];
    if (node.tee_hangs) return;
    node.renews_at = now_ + evidence_renewal;
    const auto evidence = trust_.renew(*node.identity->evidence, unix_now(index));
    node.identity->evidence = evidence;
    show_evidence(index);
    for (uint32_t i = 0; i < links_.size(); ++i) {
        Link& link = links_[i];
        for (const uint32_t side : {0u, 1u}) {
            if (link.ends[side] != index || !link.sees[side] || !link.is_up || link.loses[side])
                continue;
            Instant& last = link.arrives_last[side];
            last = std::max(last, now_ + delay() * link.clog);
            at_node(link.ends[1 - side], last, [this, i, side, life = link.life, evidence] {
                if (links_[i].life == life) take_renewal(i, side, evidence);
            });
        }
    }
}

void World::take_renewal(uint32_t index, uint32_t from_side,
                         std::shared_ptr<const Evidence> later) {
    Link& link = links_[index];
    const uint32_t to = link.ends[1 - from_side];
    log(Kind::renewal, link.ends[from_side], to);
    const bool is_taken =
        trust_.verify(*later, judge(to)) &&
        attest::verify_succession(link.evidence[from_side]->statement, later->statement);
    if (is_taken) {
        link.evidence[from_side] = std::move(later);
    } else {
        ++traffic_.peers_refused;
        reset(index);
    }
}

void World::recheck(uint32_t index) {
    Node& node = nodes_[index];
    if (!node.is_alive()) return;
    node.rechecks_at = now_ + recheck_interval;
    for (uint32_t i = 0; i < links_.size(); ++i) {
        Link& link = links_[i];
        for (const uint32_t side : {0u, 1u}) {
            if (link.ends[side] != index || !link.sees[side] || !link.is_up) continue;
            if (trust_.verify(*link.evidence[1 - side], judge(index))) {
                link.valid_last[1 - side] = now_;
            } else {
                ++traffic_.peers_refused;
                reset(i);
            }
        }
    }
    // Those that are not linked to the entry renew their evidence as well.
    if (node.entry) node.entry->refresh_evidence();
}

void World::set_skew(uint32_t index, UnixSeconds ahead_s) {
    Node& node = nodes_[index];
    if (node.skew_s == ahead_s) return;
    node.skew_s = ahead_s;
    node.renews_at = now_;
}

void World::hear_of_revocation(uint32_t index) {
    nodes_[index].knows_revocation = true;
    if (!nodes_[index].is_stalled) recheck(index);
}

/// Rule "evidence": an activation goes to a peer whose evidence the sender would take now, or took
/// when it looked last.
void World::check_evidence(Link& link, uint32_t sender) {
    const uint32_t peer = 1 - sender;
    const uint32_t node = link.ends[sender];
    if (is_valid(*link.evidence[peer], judge(node)))
        link.valid_last[peer] = now_;
    else if (now_ - link.valid_last[peer] > recheck_interval + tick_interval)
        report("evidence", "node " + std::to_string(node) + " sends activations to node " +
                               std::to_string(link.ends[peer]) +
                               " long after that one's evidence was valid");
}

}  // namespace teetee::sim
