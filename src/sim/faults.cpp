// SPDX-License-Identifier: Apache-2.0
#include "sim/faults.hpp"

namespace teetee::sim {

Faults::Faults(World& world, Clients& clients, const Scenario& scenario, uint64_t seed)
    : world_(world), clients_(clients), scenario_(scenario), random_(mix(seed, 3)) {
    const FaultWeights& weights = scenario.weights;
    kinds_ = {{"kill", weights.kill, &Faults::kill},
              {"restart", weights.restart, &Faults::restart},
              {"cut", weights.cut, &Faults::cut},
              {"one_way", weights.one_way, &Faults::one_way},
              {"partition", weights.partition, &Faults::partition},
              {"clog", weights.clog, &Faults::clog},
              {"slow", weights.slow, &Faults::slow},
              {"stall", weights.stall, &Faults::stall},
              {"flap", weights.flap, &Faults::flap},
              {"reroute", weights.reroute, &Faults::reroute},
              {"cancel", weights.cancel, &Faults::cancel},
              {"drain", weights.drain, &Faults::drain},
              {"skew", weights.skew, &Faults::skew},
              {"no_quotes", weights.no_quotes, &Faults::no_quotes},
              {"revoke", weights.revoke, &Faults::revoke},
              {"lie", weights.lie, &Faults::lie},
              {"twice", weights.twice, &Faults::twice},
              {"swap", weights.swap, &Faults::swap},
              {"garble", weights.garble, &Faults::garble},
              {"replay", weights.replay, &Faults::replay}};
    Random swarm(mix(seed, 4));
    for (Kind& kind : kinds_) {
        if (scenario.swarm != 0 && swarm.below(2) == 0) kind.weight = 0;
        weight_sum_ += kind.weight;
    }
    if (weight_sum_ > 0) schedule();
}

void Faults::schedule() {
    const Duration mean = std::chrono::milliseconds(scenario_.fault_interval_ms);
    const Duration wait(random_.up_to(2 * static_cast<uint64_t>(mean.count())));
    world_.at(world_.now() + wait, [this] {
        if (is_over_) return;
        run_one();
        schedule();
    });
}

void Faults::run_one() {
    uint64_t at = random_.below(weight_sum_);
    for (const Kind& kind : kinds_) {
        if (at < kind.weight) {
            ++counts_[kind.name];
            return (this->*kind.run)();
        }
        at -= kind.weight;
    }
}

void Faults::heal() {
    is_over_ = true;
    for (uint32_t i = 0; i < world_.nodes().size(); ++i) {
        world_.revive(i);
        world_.resume(i);
        world_.set_slowness(i, 1);
        world_.set_skew(i, 0);
        world_.mend_tee(i);
        if (world_.nodes()[i].is_draining || world_.nodes()[i].engine->is_corrupt()) restart(i);
        if (is_revoked_) upgrade(i);
    }
    for (uint32_t i = 0; i < world_.links().size(); ++i) {
        const Link& link = world_.links()[i];
        world_.mend(i);
        world_.set_clog(i, 1);
        // What a faulty peer left behind goes with its links.
        if (link.loses[0] || link.loses[1] || scenario_.weights.has_false_frames()) world_.reset(i);
    }
}

/// Mending twice, or what is not broken any more, does nothing.
void Faults::after_a_while(std::function<void()> mend) {
    after_a_while(std::chrono::milliseconds(scenario_.fault_duration_max_ms), std::move(mend));
}

void Faults::after_a_while(Duration most, std::function<void()> mend) {
    const Duration wait(random_.up_to(static_cast<uint64_t>(most.count())));
    world_.at(world_.now() + wait, [this, mend = std::move(mend)] {
        if (!is_over_) mend();
    });
}

uint32_t Faults::any_node() {
    return static_cast<uint32_t>(random_.below(world_.nodes().size()));
}

uint32_t Faults::any_link() {
    std::vector<uint32_t> up;
    for (uint32_t i = 0; i < world_.links().size(); ++i) {
        if (world_.links()[i].is_up) up.push_back(i);
    }
    return up.empty() ? 0 : up[random_.below(up.size())];
}

void Faults::kill() {
    const uint32_t node = any_node();
    world_.kill(node);
    after_a_while([this, node] { world_.revive(node); });
}

void Faults::restart() {
    restart(any_node());
}

void Faults::restart(uint32_t node) {
    world_.kill(node);
    world_.revive(node);
}

void Faults::cut() {
    const uint32_t link = any_link();
    world_.cut(link);
    after_a_while([this, link] { world_.mend(link); });
}

void Faults::one_way() {
    const uint32_t link = any_link();
    world_.lose_from(link, static_cast<uint32_t>(random_.below(2)));
    after_a_while([this, link] { world_.reset(link); });
}

/// A set of nodes is cut off from the others.
void Faults::partition() {
    const uint64_t set = random_.next();
    std::vector<uint32_t> between;
    for (uint32_t i = 0; i < world_.links().size(); ++i) {
        const auto& [a, b] = world_.links()[i].ends;
        if ((set >> (a % 64) & 1) == (set >> (b % 64) & 1)) continue;
        between.push_back(i);
        world_.cut(i);
    }
    after_a_while([this, between] {
        for (const uint32_t link : between) world_.mend(link);
    });
}

void Faults::clog() {
    const uint32_t link = any_link();
    world_.set_clog(link, 100);
    after_a_while([this, link] { world_.set_clog(link, 1); });
}

void Faults::slow() {
    const uint32_t node = any_node();
    world_.set_slowness(node, 20);
    after_a_while([this, node] { world_.set_slowness(node, 1); });
}

void Faults::stall() {
    const uint32_t node = any_node();
    world_.stall(node);
    after_a_while([this, node] { world_.resume(node); });
}

void Faults::flap() {
    world_.reset(any_link());
}

void Faults::reroute() {
    world_.reroute(static_cast<uint32_t>(random_.below(scenario_.entries)));
}

void Faults::cancel() {
    clients_.cancel_any(random_);
}

/// Maintenance: announced, and over with a restart.
void Faults::drain() {
    const uint32_t node = any_node();
    world_.drain(node);
    after_a_while([this, node] {
        if (world_.nodes()[node].is_draining) restart(node);
    });
}

/// Half of the clocks are off by no more than honest ones may be.
void Faults::skew() {
    const uint32_t node = any_node();
    const uint64_t most = random_.below(2) == 0 ? 10 : 7200;
    const auto ahead = static_cast<UnixSeconds>(random_.up_to(most));
    world_.set_skew(node, random_.below(2) == 0 ? ahead : -ahead);
    after_a_while([this, node] { world_.set_skew(node, 0); });
}

/// Long enough for evidence to expire.
void Faults::no_quotes() {
    const uint32_t node = any_node();
    world_.hang_tee(node);
    after_a_while(2 * std::chrono::seconds(evidence_lifetime_s),
                  [this, node] { world_.mend_tee(node); });
}

/// Once in a run. Each node hears of it in its own time; later hosts upgrade.
void Faults::revoke() {
    if (std::exchange(is_revoked_, true)) return;
    for (uint32_t node = 0; node < world_.nodes().size(); ++node) {
        after_a_while(std::chrono::seconds(2), [this, node] { world_.hear_of_revocation(node); });
        after_a_while([this, node] { upgrade(node); });
    }
}

void Faults::upgrade(uint32_t node) {
    world_.hear_of_revocation(node);
    if (world_.nodes()[node].build == Build::lasting) return;
    world_.set_build(node, Build::lasting);
    restart(node);
}

void Faults::lie() {
    const uint32_t node = any_node();
    world_.corrupt(node);
    after_a_while([this, node] {
        if (world_.nodes()[node].is_alive() && world_.nodes()[node].engine->is_corrupt())
            restart(node);
    });
}

void Faults::replay() {
    const uint32_t link = any_link();
    world_.replay(link, static_cast<uint32_t>(random_.below(2)));
}

void Faults::twice() {
    deceive(Deceit::twice);
}

void Faults::swap() {
    deceive(Deceit::swap);
}

void Faults::garble() {
    deceive(Deceit::garble);
}

void Faults::deceive(Deceit deceit) {
    const uint32_t link = any_link();
    world_.deceive(link, static_cast<uint32_t>(random_.below(2)), deceit);
}

}  // namespace teetee::sim
