// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <utility>

#include "base/world.hpp"
#include "net/link.hpp"
#include "net/loop.hpp"
#include "node/engine_thread.hpp"
#include "node/quote_thread.hpp"
#include "pipeline/effects.hpp"
#include "wire/codec.hpp"

namespace teetee::node {

/// Runs a state machine of `pipeline` (Entry or Stage) on real links, timers, an engine and a TEE:
/// hands every event in, carries every effect out. Lives on the loop's thread.
template <class Machine>
class Driver {
  public:
    using OnEvent = std::function<void(const pipeline::ClientEvent&)>;

    struct World {
        net::Loop& loop;
        const Clock& clock;
        Log& log;
        pipeline::StageEngine& engine;
        QuoteThread& quotes;
    };

    Driver(const World& world, Machine machine, OnEvent on_event = {})
        : world_(world),
          machine_(std::move(machine)),
          on_event_(std::move(on_event)),
          engine_(world.engine,
                  [this](pipeline::ComputeResult result) { post(std::move(result)); }) {}

    ~Driver() {
        for (auto& [direction, link] : links_) link->close();
    }

    Machine& machine() { return machine_; }

    /// A link came up. It takes the place of an earlier one to the same node; while a link to
    /// another node is up it is refused, so that a second neighbour cannot push the first one out.
    void attach(pipeline::Direction direction, std::shared_ptr<net::Link> link) {
        const auto present = links_.find(direction);
        if (present != links_.end() && present->second->peer().node_id != link->peer().node_id) {
            world_.log.warn("refused a second neighbour: " + link->peer().description);
            link->close();
            return;
        }
        detach(direction);
        link->on_frame([this, direction](Bytes frame) { receive(direction, frame); });
        link->on_closed([this, direction](const Error&) { detach(direction); });
        const auto attached = link;
        links_[direction] = std::move(link);
        act([&](Machine& machine, Instant now, pipeline::Effects& effects) {
            machine.on_link_up(now, direction, effects);
        });
        // What is known of its platform may have changed since its handshake began.
        attached->recheck();
    }

    /// Calls call(link) for each link that is up.
    template <class Call>
    void for_each_link(Call call) {
        for (const auto& [direction, link] : links_) call(*link);
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
    void detach(pipeline::Direction direction) {
        const auto found = links_.find(direction);
        if (found == links_.end()) return;
        const std::shared_ptr<net::Link> link = std::move(found->second);
        links_.erase(found);
        link->close();
        act([&](Machine& machine, Instant now, pipeline::Effects& effects) {
            machine.on_link_down(now, direction, effects);
        });
    }

    void receive(pipeline::Direction direction, const Bytes& frame) {
        auto message = wire::decode(frame, wire::Limits{});
        if (!message) {
            // An attested peer that speaks garbage is broken: the link is not worth keeping.
            world_.log.error("link ended: " + message.error().message());
            detach(direction);
            return;
        }
        act([&](Machine& machine, Instant now, pipeline::Effects& effects) {
            machine.on_message(now, direction, std::move(message).value(), effects);
        });
    }

    /// On the engine's thread.
    void post(pipeline::ComputeResult result) {
        auto kept = std::make_shared<pipeline::ComputeResult>(std::move(result));
        world_.loop.post([this, kept, alive = std::weak_ptr(alive_)] {
            if (alive.expired()) return;
            act([&](Machine& machine, Instant now, pipeline::Effects& effects) {
                machine.on_computed(now, std::move(*kept), effects);
            });
        });
    }

    void perform(pipeline::Effects effects) {
        for (const pipeline::LogLine& line : effects.log) world_.log.write(line.level, line.text);
        for (pipeline::Send& send : effects.sends) {
            const auto link = links_.find(send.to);
            if (link != links_.end()) link->second->send(wire::encode(send.message));
        }
        for (pipeline::ComputeJob& job : effects.jobs) engine_.submit(std::move(job));
        for (const pipeline::QuoteJob& job : effects.quotes) make_quote(job);
        for (const pipeline::Timer& timer : effects.timers) set_timer(timer);
        for (const pipeline::ClientEvent& event : effects.events) {
            if (on_event_) on_event_(event);
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
    std::map<pipeline::Direction, std::shared_ptr<net::Link>> links_;
    std::map<uint64_t, net::Timer> timers_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    // Last, so that its thread ends before anything that it calls.
    EngineThread engine_;
};

}  // namespace teetee::node
