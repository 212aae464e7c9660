// SPDX-License-Identifier: Apache-2.0
#include "sim/run.hpp"

#include "sim/checkers.hpp"
#include "sim/fairness.hpp"
#include "sim/faults.hpp"

namespace teetee::sim {
namespace {

/// Longer than an entry waits for records and quotes.
constexpr Duration closing_time = std::chrono::seconds(25);

}  // namespace

Outcome run(const Scenario& scenario, uint64_t seed) {
    World world(scenario, seed);
    AnswerChecker answers(world, {.frames_are_honest = !scenario.weights.has_false_frames(),
                                  .evidence_is_good = !scenario.weights.has_bad_evidence()});
    Clients clients(world, answers, scenario, seed);
    Faults faults(world, clients, scenario, seed);
    world.on_client_event = [&](uint32_t entry, const pipeline::ClientEvent& event) {
        answers.on_event(entry, event);
    };
    world.on_death = [&](uint32_t node) { answers.on_death(node); };
    FairnessChecker fairness(world, answers);
    world.on_step = [&](uint32_t node) {
        check_memory(world, node);
        fairness.on_step(node);
    };
    const Duration all = std::chrono::seconds(scenario.seconds);
    world.at(2 * all / 3, [&] { faults.heal(); });
    world.run_until(all);
    answers.check_all_ended();
    check_recovery(world);
    check_idle(world);
    world.close();
    world.run_until(all + closing_time);
    answers.check_all_signed();
    check_nothing_left(world);
    return {.violation = world.violation(),
            .answers = answers.counts(),
            .contended_steps = fairness.contended_steps(),
            .resumed = clients.resumed_count(),
            .traffic = world.traffic(),
            .faults = faults.counts(),
            .digest = world.digest()};
}

}  // namespace teetee::sim
