// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "sim/world.hpp"

namespace teetee::sim {

/// Each client's view of its answers. Rules: "tokens" (what came is a beginning of what one
/// undisturbed process generates, each index once and in order), "usage" (billed is delivered),
/// "end" (exactly one), "failure" (an answer fails only where its entry had no route for longer
/// than it may wait for one), "liveness" (all have ended).
class AnswerChecker {
  public:
    struct Options {
        /// Where a peer injects frames, requests may fail, though never go wrong.
        bool peers_are_honest = true;
    };
    AnswerChecker(World& world, Options options) : world_(world), options_(options) {}

    void begin(uint32_t entry, const pipeline::Submission& submission);
    /// Of a submission that was not accepted.
    void forget(const RequestId& request) { open_.erase(request); }
    void on_event(uint32_t entry, const pipeline::ClientEvent& event);
    void on_cancelled(const RequestId& request);
    void on_death(uint32_t entry);
    void check_all_ended();

    struct Counts {
        uint64_t tokens = 0;
        uint64_t done = 0;
        uint64_t failed = 0;
        uint64_t cancelled = 0;
        /// Their entry died.
        uint64_t orphaned = 0;
    };
    const Counts& counts() const { return counts_; }

    struct Open {
        uint32_t entry = 0;
        std::vector<TokenId> reference{};
        size_t tokens = 0;
    };
    const std::map<RequestId, Open>& open() const { return open_; }

  private:
    void on_token(const pipeline::ClientToken& token);
    void on_done(const pipeline::ClientDone& done);
    void on_failed(uint32_t entry, const pipeline::ClientFailed& failed);
    void end(std::map<RequestId, Open>::iterator request, const pipeline::Usage& usage);

    World& world_;
    Options options_;
    std::map<RequestId, Open> open_;
    Counts counts_;
};

/// Rule "memory": what a node says it uses is within what it has.
void check_memory(World& world, uint32_t node);

/// Rule "recovery": when all has been well for long, every entry has a route that is ready.
void check_recovery(World& world);

/// Rule "idle": without requests no node holds a sequence, a job or a queue.
void check_idle(World& world);

}  // namespace teetee::sim
