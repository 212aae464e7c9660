// SPDX-License-Identifier: Apache-2.0
#include "sim/world.hpp"

#include <algorithm>
#include <utility>

namespace teetee::sim {
namespace {

constexpr uint32_t layers_per_slot = 2;
/// Of a small replica.
constexpr uint32_t positions_small = 32;
constexpr UnixSeconds unix_begin = 1'800'000'000;

/// Of the receipt key of this life; made from the seed as all else. 2^-128 of them are no keys.
Digest secret_of(uint64_t seed, uint32_t node, uint64_t life) {
    ByteWriter out;
    out.u64(seed);
    out.u32(node);
    out.u64(life);
    return crypto::sha256(out.view());
}

std::shared_ptr<const attest::RecordSigner> signer_of(const Node& node) {
    return std::make_shared<attest::RecordSigner>(node.identity->receipt_key,
                                                  node.identity->evidence->statement);
}

std::vector<LayerRange> ranges(uint32_t slots) {
    std::vector<LayerRange> out;
    for (uint32_t slot = 0; slot < slots; ++slot)
        out.push_back({slot * layers_per_slot, (slot + 1) * layers_per_slot});
    return out;
}

}  // namespace

World::World(const Scenario& scenario, uint64_t seed)
    : scenario_(scenario),
      seed_(seed),
      network_(mix(seed, 1)),
      deceit_(mix(seed, 5)),
      drafts_(mix(seed, 7)),
      trust_(ranges(scenario.slots)) {
    make_nodes();
    make_links();
    at(now_, [this] { tick(); });
}

UnixSeconds World::unix_now(uint32_t node) const {
    return unix_begin + std::chrono::floor<std::chrono::seconds>(now_).count() +
           nodes_[node].skew_s;
}

void World::make_nodes() {
    for (uint32_t slot = 0; slot < scenario_.slots; ++slot) {
        const uint32_t count = slot == 0 ? scenario_.entries : scenario_.replicas;
        for (uint32_t i = 0; i < count; ++i) {
            // Where builds are revoked, every other replica has the one that will be.
            const bool is_revocable = scenario_.weights.revoke > 0 && i % 2 == 1;
            nodes_.push_back({.slot = slot,
                              .replica = i,
                              .build = is_revocable ? Build::revocable : Build::lasting});
        }
    }
    for (uint32_t i = 0; i < nodes_.size(); ++i) revive(i);
}

void World::make_links() {
    for (uint32_t a = 0; a < nodes_.size(); ++a) {
        for (uint32_t b = a + 1; b < nodes_.size(); ++b) {
            between_[{a, b}] = static_cast<uint32_t>(links_.size());
            links_.push_back({.ends = {a, b}});
        }
    }
}

pipeline::EngineLimits World::limits(uint32_t slot) const {
    return {.layers = {slot * layers_per_slot, (slot + 1) * layers_per_slot},
            .layer_count = scenario_.slots * layers_per_slot,
            .width = 2,
            .vocabulary_size = vocabulary,
            .rows_max = 64,
            .sequences_max = scenario_.sequences,
            .sequence_positions_max = 512,
            .positions_max = scenario_.positions,
            .block_positions = 4};
}

pipeline::EngineLimits World::limits_of(const Node& node) const {
    pipeline::EngineLimits out = limits(node.slot);
    const bool is_small = scenario_.uneven > 0 && node.slot > 0 && node.replica % 2 == 1;
    if (is_small) out.positions_max = positions_small;
    return out;
}

bool World::has_room_for_any(const pipeline::Entry& entry) const {
    const uint32_t most = scenario_.prompt_tokens_max + scenario_.answer_tokens_max;
    return std::ranges::any_of(entry.routes(), [&](const pipeline::Route* route) {
        return route->ready() && (scenario_.uneven == 0 || route->whole().positions >= most);
    });
}

void World::run_until(Instant end) {
    while (!violation_ && !events_.empty() && events_.begin()->first.first <= end) {
        auto event = events_.extract(events_.begin());
        now_ = event.key().first;
        ++traffic_.events;
        event.mapped()();
    }
    if (!violation_) now_ = end;
}

void World::report(std::string rule, std::string detail) {
    if (!violation_) violation_ = Violation{now_, std::move(rule), std::move(detail)};
}

void World::log(Kind kind, uint32_t from, uint32_t to, ByteView bytes) {
    ByteWriter out;
    out.u64(static_cast<uint64_t>(now_.count()));
    out.u8(static_cast<uint8_t>(kind));
    out.u32(from);
    out.u32(to);
    out.length_prefixed(bytes);
    log_.update(out.view());
}

Duration World::delay() {
    const Duration most = std::chrono::milliseconds(scenario_.delay_max_ms);
    return Duration(network_.up_to(static_cast<uint64_t>(most.count())));
}

void World::at_node(uint32_t index, Instant when, std::function<void()> run) {
    at(when, [this, index, life = nodes_[index].life, run = std::move(run)] {
        Node& node = nodes_[index];
        if (node.life != life) return;
        if (node.is_stalled)
            node.held.push_back(run);
        else
            run();
    });
}

Result<void> World::submit(uint32_t index, pipeline::Submission submission) {
    const Node& node = nodes_[index];
    if (!node.is_alive() || node.is_stalled)
        return fail(ErrorCode::connect_failed, "entry: does not answer");
    log(Kind::submit, index, index, submission.request.bytes);
    Result<void> accepted;
    step_entry(index, [&](pipeline::Entry& entry, pipeline::Effects& effects) {
        accepted = entry.submit(now_, std::move(submission), effects);
    });
    return accepted;
}

bool World::cancel(uint32_t index, const RequestId& request) {
    const Node& node = nodes_[index];
    if (!node.is_alive() || node.is_stalled) return false;
    log(Kind::cancel, index, index, request.bytes);
    bool was_known = false;
    step_entry(index, [&](pipeline::Entry& entry, pipeline::Effects& effects) {
        was_known = entry.cancel(now_, request, effects).has_value();
    });
    return was_known;
}

void World::ask_for_quotes(uint32_t index, pipeline::QuoteOrder order) {
    at_node(index, now_, [this, index, order = std::move(order)] {
        step_entry(index, [&](pipeline::Entry& entry, pipeline::Effects& effects) {
            entry.ask_for_quotes(now_, order, effects);
        });
    });
}

void World::corrupt(uint32_t index) {
    const Node& node = nodes_[index];
    if (node.is_alive()) node.engine->corrupt(node.id());
}

void World::kill(uint32_t index) {
    Node& node = nodes_[index];
    if (!node.is_alive()) return;
    log(Kind::kill, index, index);
    const Node dead = std::exchange(node, {.slot = node.slot,
                                           .replica = node.replica,
                                           .life = node.life + 1,
                                           .build = node.build,
                                           .slowness = node.slowness,
                                           .skew_s = node.skew_s,
                                           .knows_revocation = node.knows_revocation,
                                           .tee_hangs = node.tee_hangs});
    for (uint32_t i = 0; i < links_.size(); ++i) {
        Link& link = links_[i];
        for (uint32_t side = 0; side < 2; ++side) {
            if (link.ends[side] != index) continue;
            link.sees[side] = false;
            reset(i);
        }
    }
    if (on_death) on_death(index);
}

void World::revive(uint32_t index) {
    Node& node = nodes_[index];
    if (node.is_alive()) return;
    log(Kind::revive, index, index);
    node.identity = std::make_unique<Identity>(trust_.make_identity(
        secret_of(seed_, index, node.life), node.slot, node.build, unix_now(index)));
    places_[node.id()] = index;
    node.renews_at = now_ + evidence_renewal;
    node.rechecks_at = now_ + recheck_interval;
    node.engine = std::make_unique<ToyEngine>(limits_of(node), &lies_);
    make_directory(index);
    if (node.slot == 0)
        make_entry(index);
    else
        make_stage(index);
    show_evidence(index);
}

void World::make_entry(uint32_t index) {
    Node& node = nodes_[index];
    std::map<LayerRange, Digest> roots;
    for (const attest::AcceptedShard& shard : trust_.expectation().shards)
        roots[shard.layers] = shard.shard_root;
    node.entry = std::make_unique<pipeline::Entry>(
        pipeline::EntryOptions{.node_id = node.id(),
                               .engine = limits(node.slot),
                               .chunk_rows = 8,
                               .batch_rows_max = 32,
                               .queued_max = 16,
                               .has_draft_model = scenario_.draft_model > 0,
                               .first_prefix = (mix(seed_, index) ^ node.life << 48) >> 1 | 1,
                               .probe_timeout = probe_timeout,
                               .batch_timeout = batch_timeout,
                               .batch_patience = batch_patience,
                               .reroute_timeout = reroute_timeout,
                               .records = {.signer = signer_of(node), .shard_roots = roots}});
}

void World::make_stage(uint32_t index) {
    Node& node = nodes_[index];
    node.stage = std::make_unique<pipeline::Stage>(pipeline::StageOptions{
        .node_id = node.id(), .engine = limits_of(node), .signer = signer_of(node)});
}

void World::resume(uint32_t index) {
    Node& node = nodes_[index];
    node.is_stalled = false;
    recheck(index);
    for (auto& run : std::exchange(node.held, {})) run();
}

}  // namespace teetee::sim
