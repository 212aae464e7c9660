// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>

#include "pipeline/directory.hpp"
#include "pipeline/entry.hpp"
#include "pipeline/stage.hpp"
#include "sim/deceit.hpp"
#include "sim/toy_engine.hpp"
#include "sim/trust.hpp"

namespace teetee::sim {

struct Node {
    uint32_t slot = 0;
    uint32_t replica = 0;
    /// Raised by every death: what was meant for an earlier life is lost.
    uint64_t life = 0;
    Build build = Build::lasting;

    /// While it is alive, with one of entry and stage.
    std::unique_ptr<Identity> identity{};
    std::unique_ptr<ToyEngine> engine{};
    std::unique_ptr<pipeline::Directory> directory{};
    std::unique_ptr<pipeline::Entry> entry{};
    std::unique_ptr<pipeline::Stage> stage{};
    bool is_computing = false;
    /// When the draft model will have done all that it was asked.
    Instant draft_model_free_at{};
    bool is_draining = false;
    Instant renews_at{};
    Instant rechecks_at{};
    /// Of an entry: when a route with room for any request was ready last.
    Instant ready_last{};

    /// Of the machine, whoever lives there. A stalled one takes nothing in; its links stay up.
    uint32_t slowness = 1;
    bool is_stalled = false;
    std::deque<std::function<void()>> held{};
    /// How far its clock is ahead.
    UnixSeconds skew_s = 0;
    bool knows_revocation = false;
    /// It makes no quotes.
    bool tee_hangs = false;

    bool is_alive() const { return identity != nullptr; }
    const wire::NodeId& id() const { return identity->id(); }
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
    /// Of a faulty peer: what it does next, and the frame that it keeps back.
    std::array<Deceit, 2> deceit{};
    std::array<Bytes, 2> kept_back{};
    uint32_t clog = 1;
    /// After a handshake was refused.
    Instant dials_at{};
    /// What the other side has taken of each one's evidence, and when that was valid last.
    std::array<std::shared_ptr<const Evidence>, 2> evidence{};
    std::array<Instant, 2> valid_last{};
};

}  // namespace teetee::sim
