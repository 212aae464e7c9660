// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crypto/hash.hpp"
#include "sim/node.hpp"
#include "sim/random.hpp"
#include "sim/scenario.hpp"
#include "sim/violation.hpp"

namespace teetee::sim {

/// Its limits for an entry are short, so that a run sees them pass.
inline constexpr Duration probe_timeout = std::chrono::seconds(1);
inline constexpr Duration batch_timeout = std::chrono::seconds(4);
inline constexpr Duration batch_patience = std::chrono::seconds(1);
inline constexpr Duration reroute_timeout = std::chrono::seconds(4);
/// How often nodes judge the evidence of their peers again, and look who is there.
inline constexpr Duration recheck_interval = std::chrono::seconds(5);
inline constexpr Duration tick_interval = std::chrono::milliseconds(100);

struct Traffic {
    uint64_t events = 0;
    /// Evidence that was not taken.
    uint64_t peers_refused = 0;
    /// Requests that went on over another route with what its nodes had, and what stood for their
    /// rows on the way to the one that had to have them again.
    uint64_t resumes = 0;
    uint64_t replays = 0;
};

/// Nodes, links and time. Everything happens in one queue ordered by (time, order of making), and
/// everything random comes from one seed.
class World {
  public:
    World(const Scenario& scenario, uint64_t seed);

    Instant now() const { return now_; }
    /// By the clock of that node.
    UnixSeconds unix_now(uint32_t node) const;
    void at(Instant when, std::function<void()> run) {
        events_[{when, next_order_++}] = std::move(run);
    }
    /// All entries give up their routes, and nobody makes new ones.
    void close();
    /// Ends early with a violation.
    void run_until(Instant end);

    const std::vector<Node>& nodes() const { return nodes_; }
    const std::vector<Link>& links() const { return links_; }
    /// Of a large node.
    pipeline::EngineLimits limits(uint32_t slot) const;
    Trust& trust() { return trust_; }
    Lies& lies() { return lies_; }
    const Traffic& traffic() const { return traffic_; }

    Result<void> submit(uint32_t entry, pipeline::Submission submission);
    /// False if the entry knows no such request.
    bool cancel(uint32_t entry, const RequestId& request);
    void ask_for_quotes(uint32_t entry, pipeline::QuoteOrder order);

    /// The node dies with all it knows.
    void kill(uint32_t node);
    /// A dead node begins another life, under another NodeId.
    void revive(uint32_t node);
    void stall(uint32_t node) { nodes_[node].is_stalled = true; }
    void resume(uint32_t node);
    void set_slowness(uint32_t node, uint32_t factor) { nodes_[node].slowness = factor; }
    /// It says that it takes no new requests.
    void drain(uint32_t node);
    /// The entry gives all its routes up; the router makes new ones.
    void reroute(uint32_t entry);

    /// Somebody sets its clock; evidence that was made by the old one is renewed.
    void set_skew(uint32_t node, UnixSeconds ahead_s);
    /// Its TEE makes no quotes, or does again.
    void hang_tee(uint32_t node) { nodes_[node].tee_hangs = true; }
    void mend_tee(uint32_t node) { nodes_[node].tee_hangs = false; }
    /// The node hears that Build::revocable is not to be trusted any more.
    void hear_of_revocation(uint32_t node);
    /// It lies until it dies.
    void corrupt(uint32_t node);
    /// From the next life on.
    void set_build(uint32_t node, Build build) { nodes_[node].build = build; }

    void cut(uint32_t link);
    void mend(uint32_t link) { links_[link].is_cut = false; }
    /// Both ends are told, each in its time; the nodes join it again soon.
    void reset(uint32_t link);
    void lose_from(uint32_t link, uint32_t side);
    void set_clog(uint32_t link, uint32_t factor) { links_[link].clog = factor; }
    void replay(uint32_t link, uint32_t side);
    void deceive(uint32_t link, uint32_t side, Deceit deceit);

    /// The first one counts.
    void report(std::string rule, std::string detail);
    const std::optional<Violation>& violation() const { return violation_; }
    /// SHA-256 over (time, kind, from, to, bytes) of every event so far.
    Digest digest() { return log_.finish(); }

    std::function<void(uint32_t entry, const pipeline::ClientEvent&)> on_client_event;
    std::function<void(uint32_t node)> on_death;
    /// After each event of the node.
    std::function<void(uint32_t node)> on_step;

  private:
    pipeline::EngineLimits limits_of(const Node& node) const;
    bool has_room_for_any(const pipeline::Entry& entry) const;
    enum class Kind : uint8_t {
        up,
        down,
        frame,
        computed,
        timer,
        submit,
        cancel,
        kill,
        revive,
        renewal,
        quoted,
        drafted
    };

    // world.cpp: time, lives, and what comes from outside.
    void make_nodes();
    void make_links();
    void make_entry(uint32_t node);
    void make_stage(uint32_t node);
    void make_directory(uint32_t node);
    void log(Kind kind, uint32_t from, uint32_t to, ByteView bytes = {});
    Duration delay();
    /// Runs when the node is there and not stalled, if it still lives this life.
    void at_node(uint32_t node, Instant when, std::function<void()> run);

    // world_links.cpp: effects, frames and links.
    /// event(Entry& or Stage&, Effects&).
    template <class Event>
    void step(uint32_t node, Event event);
    template <class Event>
    void step_entry(uint32_t node, Event event);
    void act(uint32_t node, pipeline::Effects effects);
    void compute(uint32_t node, pipeline::ComputeJob job);
    void make_quote(uint32_t node, const pipeline::QuoteJob& job);
    void draft(uint32_t node, const pipeline::DraftJob& job);
    void send(uint32_t from, const pipeline::Send& send);
    void transmit(uint32_t link, uint32_t side, Bytes frame);
    void put(uint32_t link, uint32_t side, Bytes frame);
    void deliver(uint32_t link, uint32_t from_side, uint64_t life, const Bytes& frame);
    void tell_up(uint32_t link, uint32_t side, Instant when);
    void tell_down(uint32_t link, uint32_t side);

    // world_peers.cpp: who knows, links to and routes over whom.
    void tick();
    void look_around(uint32_t node);
    /// To its own directory.
    void describe(uint32_t node);
    void gossip(uint32_t node, const pipeline::Gossip& gossip);
    void take_adverts(uint32_t node, const wire::NodeId& from, wire::Adverts adverts);
    void dial(uint32_t from, uint32_t to);
    void plan_routes(uint32_t entry);

    // world_evidence.cpp
    Judge judge(uint32_t node) const { return {unix_now(node), nodes_[node].knows_revocation}; }
    bool shake_hands(Link& link);
    void show_evidence(uint32_t node);
    void renew(uint32_t node);
    void take_renewal(uint32_t link, uint32_t from_side, std::shared_ptr<const Evidence> later);
    void recheck(uint32_t node);
    void check_evidence(Link& link, uint32_t sender);

    uint32_t link_between(uint32_t a, uint32_t b) const { return between_.at(std::minmax(a, b)); }

    Scenario scenario_;
    uint64_t seed_;
    Random network_;
    Random deceit_;
    Random drafts_;
    Trust trust_;
    Lies lies_;
    Instant now_{};
    uint64_t next_order_ = 0;
    std::map<std::pair<Instant, uint64_t>, std::function<void()>> events_;
    std::vector<Node> nodes_;
    /// Of every pair.
    std::vector<Link> links_;
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> between_;
    /// Where each life was, or is.
    std::map<wire::NodeId, uint32_t> places_;
    bool is_closed_ = false;
    Traffic traffic_;
    crypto::Sha256 log_;
    std::optional<Violation> violation_;
};

template <class Event>
void World::step_entry(uint32_t index, Event event) {
    Node& node = nodes_[index];
    pipeline::Effects effects;
    if (has_room_for_any(*node.entry)) node.ready_last = now_;
    event(*node.entry, effects);
    act(index, std::move(effects));
    if (on_step) on_step(index);
}

template <class Event>
void World::step(uint32_t index, Event event) {
    if (nodes_[index].entry) return step_entry(index, event);
    pipeline::Effects effects;
    event(*nodes_[index].stage, effects);
    act(index, std::move(effects));
    if (on_step) on_step(index);
}

}  // namespace teetee::sim
