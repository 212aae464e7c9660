// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string_view>

#include "sim/clients.hpp"

namespace teetee::sim {

/// Chooses by seed and weights what goes wrong, until all heals.
class Faults {
  public:
    Faults(World& world, Clients& clients, const Scenario& scenario, uint64_t seed);

    /// From now on nothing goes wrong, and all that did is mended.
    void heal();
    /// How often each was done.
    const std::map<std::string_view, uint64_t>& counts() const { return counts_; }

  private:
    struct Kind {
        std::string_view name;
        uint32_t weight = 0;
        void (Faults::*run)() = nullptr;
    };

    void schedule();
    void run_one();
    void after_a_while(std::function<void()> mend);
    void after_a_while(Duration most, std::function<void()> mend);
    uint32_t any_node();
    /// One that is up, if there is any.
    uint32_t any_link();
    void upgrade(uint32_t node);

    void kill();
    void restart();
    void restart(uint32_t node);
    void cut();
    void one_way();
    void partition();
    void clog();
    void slow();
    void stall();
    void flap();
    void reroute();
    void cancel();
    void drain();
    void skew();
    void no_quotes();
    void revoke();
    void lie();
    void twice();
    void swap();
    void garble();
    void deceive(Deceit deceit);
    void replay();

    World& world_;
    Clients& clients_;
    Scenario scenario_;
    Random random_;
    std::vector<Kind> kinds_;
    uint64_t weight_sum_ = 0;
    bool is_over_ = false;
    bool is_revoked_ = false;
    std::map<std::string_view, uint64_t> counts_;
};

}  // namespace teetee::sim
