// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "crypto/hash.hpp"
#include "pipeline/entry.hpp"
#include "pipeline/stage.hpp"
#include "sim/random.hpp"
#include "sim/router.hpp"
#include "sim/scenario.hpp"
#include "sim/toy_engine.hpp"
#include "sim/violation.hpp"

namespace teetee::sim {

/// Its limits for an entry are short, so that a run sees them pass.
inline constexpr Duration probe_timeout = std::chrono::seconds(1);
inline constexpr Duration batch_timeout = std::chrono::seconds(4);
inline constexpr Duration reroute_timeout = std::chrono::seconds(4);

struct Node {
    uint32_t slot = 0;
    uint32_t replica = 0;
    /// Raised by every death: what was meant for an earlier life is lost.
    uint64_t life = 0;
    wire::NodeId id{};
    /// One of the two, with the engine, while the node is alive.
    std::unique_ptr<pipeline::Entry> entry{};
    std::unique_ptr<pipeline::Stage> stage{};
    std::unique_ptr<ToyEngine> engine{};
    bool is_computing = false;
    uint32_t slowness = 1;
    /// A stalled node takes nothing in; its links stay up.
    bool is_stalled = false;
    std::deque<std::function<void()>> held{};
    /// Of an entry: its routes, and when one was ready last.
    std::map<uint64_t, Path> routes{};
    Instant ready_last{};

    bool is_alive() const { return engine != nullptr; }
};

/// Between two nodes; frames of each direction arrive in order or not at all. Side 0 is ends[0].
struct Link {
    std::array<uint32_t, 2> ends{};
    /// Cannot come up.
    bool is_cut = false;
    bool is_up = false;
    /// Raised whenever it goes up or down.
    uint64_t life = 0;
    /// Of the lives that it was made between.
    std::array<wire::NodeId, 2> ids{};
    /// Whether each side has been told that it is up, and not yet that it is down.
    std::array<bool, 2> sees{};
    /// What that side sends is lost until the link is made anew.
    std::array<bool, 2> loses{};
    std::array<Instant, 2> arrives_last{};
    std::array<Bytes, 2> frame_last{};
    uint32_t clog = 1;
};

struct Traffic {
    uint64_t events = 0;
    uint64_t frames_sent = 0;
    uint64_t frames_lost = 0;
    uint64_t links_lost = 0;
    uint64_t routes_made = 0;
};

/// Nodes, links and time. Everything happens in one queue ordered by (time, order of making), and
/// everything random comes from one seed.
class World {
  public:
    World(const Scenario& scenario, uint64_t seed);

    Instant now() const { return now_; }
    void at(Instant when, std::function<void()> run) {
        events_[{when, next_order_++}] = std::move(run);
    }
    /// Ends early with a violation.
    void run_until(Instant end);

    const std::vector<Node>& nodes() const { return nodes_; }
    const std::vector<Link>& links() const { return links_; }
    pipeline::EngineLimits limits(uint32_t slot) const;
    const Traffic& traffic() const { return traffic_; }

    Result<void> submit(uint32_t entry, pipeline::Submission submission);
    /// False if the entry knows no such request.
    bool cancel(uint32_t entry, const RequestId& request);

    /// The node dies with all it knows.
    void kill(uint32_t node);
    /// A dead node begins another life, under another NodeId.
    void revive(uint32_t node);
    void stall(uint32_t node) { nodes_[node].is_stalled = true; }
    void resume(uint32_t node);
    void set_slowness(uint32_t node, uint32_t factor) { nodes_[node].slowness = factor; }
    /// The entry gives all its routes up; the router makes new ones.
    void reroute(uint32_t entry);

    void cut(uint32_t link);
    void mend(uint32_t link) { links_[link].is_cut = false; }
    /// Both ends are told, each in its time; the nodes join it again soon.
    void reset(uint32_t link);
    void lose_from(uint32_t link, uint32_t side);
    void set_clog(uint32_t link, uint32_t factor) { links_[link].clog = factor; }
    void replay(uint32_t link, uint32_t side);

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
    enum class Kind : uint8_t { up, down, frame, computed, timer, submit, cancel, kill, revive };

    void make_nodes();
    void make_links();
    void log(Kind kind, uint32_t from, uint32_t to, ByteView bytes = {});
    Duration delay();
    /// Runs when the node is there and not stalled, if it still lives this life.
    void at_node(uint32_t node, Instant when, std::function<void()> run);
    /// event(Entry& or Stage&, Effects&).
    template <class Event>
    void step(uint32_t node, Event event);
    template <class Event>
    void step_entry(uint32_t node, Event event);
    void act(uint32_t node, pipeline::Effects effects);
    void compute(uint32_t node, pipeline::ComputeJob job);
    void send(uint32_t from, const pipeline::Send& send);
    void deliver(uint32_t link, uint32_t from_side, uint64_t life, const Bytes& frame);
    void join(uint32_t link);
    void tell_up(uint32_t link, uint32_t side, Instant when);
    void tell_down(uint32_t link, uint32_t side);
    void tick();
    void route(uint32_t entry);

    Scenario scenario_;
    uint64_t seed_;
    Random network_;
    Instant now_{};
    uint64_t next_order_ = 0;
    std::map<std::pair<Instant, uint64_t>, std::function<void()>> events_;
    std::vector<Node> nodes_;
    std::vector<Link> links_;
    Traffic traffic_;
    crypto::Sha256 log_;
    std::optional<Violation> violation_;
};

template <class Event>
void World::step_entry(uint32_t index, Event event) {
    Node& node = nodes_[index];
    pipeline::Effects effects;
    if (node.entry->ready()) node.ready_last = now_;
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
