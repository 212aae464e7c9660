// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/world.hpp"
#include "net/link.hpp"
#include "net/loop.hpp"
#include "node/draft_model.hpp"
#include "node/job_thread.hpp"
#include "node/quote_thread.hpp"
#include "pipeline/effects.hpp"
#include "wire/codec.hpp"

namespace teetee::node {

/// Runs a state machine of `pipeline` (Entry or Stage) on real links, timers, an engine, a TEE and
/// a receipt key: hands every event in, carries every effect out. Lives on the loop's thread.
template <class Machine>
class Driver {
  public:
    using OnEvent = std::function<void(const pipeline::ClientEvent&)>;

    /// Which end of a link this node is.
    enum class Made { by_us, by_peer };
    struct OnPeer {
        std::function<void(const net::Link& link)> up;
        std::function<void(const wire::NodeId& peer)> down;
        std::function<void(const wire::NodeId& peer, wire::Adverts adverts)> adverts;
        /// A link that it was spoken with over has ended; without a reason this node has ended it,
        /// or has another one.
        std::function<void(const net::Link& link, std::optional<ErrorCode> why)> ended;
        /// Others say that they cannot reach it.
        std::function<void(const wire::NodeId& node)> suspect;
    };

    /// Signs what is in a SignOff, if it is right. Called on a thread of its own.
    using SignOff = std::function<Result<crypto::RecoverableSignature>(ByteView body)>;
    /// What came of an entry's own orders.
    using OnOutcome = std::function<void(pipeline::SignOffOutcome)>;

    struct World {
        wire::NodeId node_id{};
        net::Loop& loop;
        const Clock& clock;
        Log& log;
        pipeline::StageEngine& engine;
        QuoteThread& quotes;
        SignOff sign_off;
        /// Null: none.
        DraftModel* drafts = nullptr;
    };

    Driver(const World& world, Machine machine, OnEvent on_event = {})
        : world_(world),
          machine_(std::move(machine)),
          on_event_(std::move(on_event)),
          engine_([this](pipeline::ComputeJob job) { compute(std::move(job)); }) {
        if (world_.drafts != nullptr)
            drafts_.emplace([this](const pipeline::DraftJob& job) { draft(job); });
    }

    ~Driver() {
        for (auto* links : {&spares_, &links_}) {
            for (auto& [peer, attached] : *links) attached.link->close();
        }
    }

    Machine& machine() { return machine_; }

    /// After the machine has heard of it. To be set before any link is attached.
    void on_peer(OnPeer hooks) { on_peer_ = std::move(hooks); }
    /// To be set before anything is ordered.
    void on_outcome(OnOutcome hook) { on_outcome_ = std::move(hook); }

    /// A link came up. It takes the place of an earlier one that the same side has made. Where both
    /// have dialled, the node with the lesser id decides: it keeps the link that it had, and ends
    /// the other one; the other node waits for that, so that neither loses what is under way.
    void attach(std::shared_ptr<net::Link> link, Made made) {
        const wire::NodeId peer = link->peer().node_id;
        const auto present = links_.find(peer);
        if (present != links_.end() && present->second.made != made) {
            if (world_.node_id < peer) return link->close();
            return keep_spare(peer, {link, made});
        }
        detach(peer);
        bring_up(peer, {link, made});
    }
    void send(const wire::NodeId& to, const wire::Frame& frame) {
        const auto found = links_.find(to);
        if (found != links_.end()) found->second.link->send(wire::encode(frame));
    }

    /// Calls call(link) for each link that is up.
    template <class Call>
    void for_each_link(Call call) {
        for (const auto* links : {&links_, &spares_}) {
            for (const auto& [peer, attached] : *links) call(*attached.link);
        }
    }

    /// Calls call(machine, now, effects), then does what the effects say.
    template <class Call>
    auto act(Call call) {
        pipeline::Effects effects;
        if constexpr (std::is_void_v<decltype(call(machine_, Instant{}, effects))>) {
            call(machine_, world_.clock.now(), effects);
            perform(std::move(effects));
        } else {
            auto result = call(machine_, world_.clock.now(), effects);
            perform(std::move(effects));
            return result;
        }
    }

  private:
    struct Attached {
        std::shared_ptr<net::Link> link;
        Made made{};
    };

    /// The other node may have this one for the first: what it says is heard.
    void keep_spare(const wire::NodeId& peer, Attached attached) {
        const auto former = spares_.extract(peer);
        if (!former.empty()) former.mapped().link->close();
        attached.link->on_frame([this, peer](Bytes frame) { receive(peer, frame); });
        attached.link->on_closed([this, peer](const Error&) { spares_.erase(peer); });
        spares_[peer] = std::move(attached);
    }

    void bring_up(const wire::NodeId& peer, Attached attached) {
        const std::shared_ptr<net::Link> link = attached.link;
        link->on_frame([this, peer](Bytes frame) { receive(peer, frame); });
        link->on_closed([this, peer](const Error& error) {
            detach(peer, error.code);
            auto spare = spares_.extract(peer);
            if (!spare.empty()) bring_up(peer, std::move(spare.mapped()));
        });
        links_[peer] = std::move(attached);
        act([&](Machine& machine, Instant now, pipeline::Effects& effects) {
            machine.on_link_up(now, peer, effects);
        });
        if (on_peer_.up) on_peer_.up(*link);
        // What is known of its platform may have changed since its handshake began.
        link->recheck();
    }

    void detach(const wire::NodeId& peer, std::optional<ErrorCode> why = {}) {
        const auto found = links_.find(peer);
        if (found == links_.end()) return;
        const wire::NodeId id = found->first;
        const std::shared_ptr<net::Link> link = std::move(found->second.link);
        links_.erase(found);
        if (on_peer_.ended) on_peer_.ended(*link, why);
        link->close();
        act([&](Machine& machine, Instant now, pipeline::Effects& effects) {
            machine.on_link_down(now, id, effects);
        });
        if (on_peer_.down) on_peer_.down(id);
    }

    void receive(const wire::NodeId& peer, const Bytes& bytes) {
        auto frame = wire::decode(bytes, wire::Limits{});
        if (!frame) {
            // An attested peer that speaks garbage is broken: no link to it is worth keeping.
            world_.log.error("link ended: " + frame.error().message());
            const auto spare = spares_.extract(peer);
            if (!spare.empty()) spare.mapped().link->close();
            detach(peer, frame.error().code);
            return;
        }
        if (auto* adverts = std::get_if<wire::Adverts>(&frame->message)) {
            if (on_peer_.adverts) on_peer_.adverts(peer, std::move(*adverts));
            return;
        }
        act([&](Machine& machine, Instant now, pipeline::Effects& effects) {
            machine.on_frame(now, peer, std::move(frame).value(), effects);
        });
    }

    /// On the engine's thread.
    void compute(pipeline::ComputeJob job) {
        post(world_.engine.compute(std::move(job)),
             [](Machine& machine, Instant now, pipeline::ComputeResult result,
                pipeline::Effects& effects) {
                 machine.on_computed(now, std::move(result), effects);
             });
    }

    /// On a thread of its own: a settlement has up to a thousand signatures to look at.
    void sign_off(const pipeline::SignOffJob& job) {
        post(pipeline::SignOffResult{job.id, world_.sign_off(job.body)},
             [](Machine& machine, Instant now, pipeline::SignOffResult result,
                pipeline::Effects& effects) {
                 machine.on_signed_off(now, std::move(result), effects);
             });
    }

    /// On the draft model's thread.
    void draft(const pipeline::DraftJob& job) {
        if constexpr (requires { &Machine::on_drafted; }) {
            auto result = world_.drafts->draft(job);
            if (!result) return;
            post(std::move(*result), [](Machine& machine, Instant now,
                                        pipeline::DraftResult drafted, pipeline::Effects& effects) {
                machine.on_drafted(now, std::move(drafted), effects);
            });
        }
    }

    /// From another thread: calls tell(machine, now, result, effects) on the loop's.
    template <class Result, class Tell>
    void post(Result result, Tell tell) {
        auto kept = std::make_shared<Result>(std::move(result));
        world_.loop.post([this, kept, tell, alive = std::weak_ptr(alive_)] {
            if (alive.expired()) return;
            act([&](Machine& machine, Instant now, pipeline::Effects& effects) {
                tell(machine, now, std::move(*kept), effects);
            });
        });
    }

    void perform(pipeline::Effects effects) {
        for (const pipeline::LogLine& line : effects.log) world_.log.write(line.level, line.text);
        for (pipeline::Send& send : effects.sends) {
            this->send(send.to, send.frame);
        }
        for (pipeline::ComputeJob& job : effects.jobs) engine_.submit(std::move(job));
        for (pipeline::DraftJob& job : effects.drafts) drafts_->submit(std::move(job));
        for (const pipeline::QuoteJob& job : effects.quotes) make_quote(job);
        for (pipeline::SignOffJob& job : effects.sign_offs) {
            // Many nodes never settle anything.
            if (!signer_)
                signer_.emplace([this](const pipeline::SignOffJob& next) { sign_off(next); });
            signer_->submit(std::move(job));
        }
        for (const pipeline::Timer& timer : effects.timers) set_timer(timer);
        for (const pipeline::ClientEvent& event : effects.events) {
            if (on_event_) on_event_(event);
        }
        for (pipeline::SignOffOutcome& outcome : effects.outcomes) {
            if (on_outcome_) on_outcome_(std::move(outcome));
        }
        for (const wire::NodeId& node : effects.suspects) {
            if (on_peer_.suspect) on_peer_.suspect(node);
        }
    }

    void make_quote(const pipeline::QuoteJob& job) {
        world_.quotes.quote(
            job.report_data, QuoteThread::Use::others,
            [this, request = job.request, alive = std::weak_ptr(alive_)](Result<Bytes> quote) {
                if (alive.expired()) return;
                act([&](Machine& machine, Instant now, pipeline::Effects& effects) {
                    machine.on_quoted(now, {request, std::move(quote)}, effects);
                });
            });
    }

    void set_timer(const pipeline::Timer& timer) {
        if constexpr (requires(pipeline::Effects & e) { machine_.on_timer(Instant{}, 0ul, e); }) {
            timers_[timer.id] = world_.loop.call_at(timer.at, [this, id = timer.id] {
                act([&](Machine& machine, Instant now, pipeline::Effects& effects) {
                    machine.on_timer(now, id, effects);
                });
            });
        }
    }

    World world_;
    Machine machine_;
    OnEvent on_event_;
    OnPeer on_peer_;
    OnOutcome on_outcome_;
    std::map<wire::NodeId, Attached> links_;
    /// Second links to the same nodes, over which nothing is said until the first ones end.
    std::map<wire::NodeId, Attached> spares_;
    std::map<uint64_t, net::Timer> timers_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    // Last, so that the threads end before anything that they call.
    JobThread<pipeline::ComputeJob> engine_;
    std::optional<JobThread<pipeline::DraftJob>> drafts_;
    std::optional<JobThread<pipeline::SignOffJob>> signer_;
};

}  // namespace teetee::node
