// SPDX-License-Identifier: Apache-2.0
#include "sim/checkers.hpp"

#include <string>

namespace teetee::sim {
namespace {

std::string name(const RequestId& request) {
    return "request " + to_hex(ByteView(request.bytes).first(4));
}

}  // namespace

void AnswerChecker::begin(uint32_t entry, const pipeline::Submission& submission) {
    open_[submission.request] = {.entry = entry,
                                 .reference = reference_tokens(submission, world_.limits(0))};
}

void AnswerChecker::on_event(uint32_t entry, const pipeline::ClientEvent& event) {
    if (const auto* token = std::get_if<pipeline::ClientToken>(&event)) {
        on_token(*token);
    } else if (const auto* done = std::get_if<pipeline::ClientDone>(&event)) {
        on_done(*done);
    } else if (const auto* failed = std::get_if<pipeline::ClientFailed>(&event)) {
        on_failed(entry, *failed);
    }
}

void AnswerChecker::on_token(const pipeline::ClientToken& token) {
    const auto found = open_.find(token.request);
    if (found == open_.end()) return world_.report("end", name(token.request) + ": a late token");
    Open& request = found->second;
    const size_t index = request.tokens++;
    ++counts_.tokens;
    if (token.index != index || index >= request.reference.size()) {
        world_.report("tokens", name(token.request) + ": have index " +
                                    std::to_string(token.index) + ", need " +
                                    std::to_string(index));
    } else if (token.token != request.reference[index]) {
        world_.report("tokens",
                      name(token.request) + ": another token at index " + std::to_string(index));
    }
}

void AnswerChecker::on_done(const pipeline::ClientDone& done) {
    const auto found = open_.find(done.request);
    if (found == open_.end()) return world_.report("end", name(done.request) + ": ended twice");
    if (found->second.tokens != found->second.reference.size())
        world_.report("tokens", name(done.request) + ": done before all tokens came");
    ++counts_.done;
    end(found, done.usage);
}

void AnswerChecker::on_failed(uint32_t entry, const pipeline::ClientFailed& failed) {
    const auto found = open_.find(failed.request);
    if (found == open_.end()) return world_.report("end", name(failed.request) + ": ended twice");
    ++counts_.failed;
    const Duration unready = world_.now() - world_.nodes()[entry].ready_last;
    if (options_.peers_are_honest && unready < reroute_timeout) {
        world_.report("failure", name(failed.request) + ": " + failed.error.message() +
                                     ", and a route was ready " +
                                     std::to_string(unready.count() / 1'000'000) + " ms ago");
    }
    end(found, failed.usage);
}

void AnswerChecker::end(std::map<RequestId, Open>::iterator request, const pipeline::Usage& usage) {
    if (usage.completion_tokens != request->second.tokens) {
        world_.report("usage", name(request->first) + ": billed " +
                                   std::to_string(usage.completion_tokens) + ", delivered " +
                                   std::to_string(request->second.tokens));
    }
    open_.erase(request);
}

void AnswerChecker::on_cancelled(const RequestId& request) {
    counts_.cancelled += open_.erase(request);
}

void AnswerChecker::on_death(uint32_t entry) {
    counts_.orphaned +=
        std::erase_if(open_, [&](const auto& open) { return open.second.entry == entry; });
}

void AnswerChecker::check_all_ended() {
    if (open_.empty()) return;
    const auto& [request, state] = *open_.begin();
    world_.report("liveness", name(request) + ": has " + std::to_string(state.tokens) + " of " +
                                  std::to_string(state.reference.size()) + " tokens, on node " +
                                  std::to_string(state.entry) + "; " +
                                  std::to_string(open_.size()) + " requests hang");
}

void check_memory(World& world, uint32_t index) {
    const Node& node = world.nodes()[index];
    const pipeline::KvAmount all = pipeline::KvLedger(node.engine->limits()).capacity();
    const pipeline::KvAmount part = node.entry ? node.entry->kv_used() : node.stage->kv_free();
    if (!pipeline::fits(part, {}, all)) {
        world.report("memory",
                     "node " + std::to_string(index) + ": have " + std::to_string(part.positions) +
                         " positions and " + std::to_string(part.sequences) + " sequences of " +
                         std::to_string(all.positions) + " and " + std::to_string(all.sequences));
    }
}

void check_recovery(World& world) {
    for (uint32_t i = 0; i < world.nodes().size(); ++i) {
        const Node& node = world.nodes()[i];
        if (node.entry && !node.entry->ready())
            world.report("recovery", "node " + std::to_string(i) + ": no route is ready");
    }
}

void check_idle(World& world) {
    for (uint32_t i = 0; i < world.nodes().size(); ++i) {
        const Node& node = world.nodes()[i];
        if (!node.is_alive()) continue;
        const auto expect_none = [&](size_t count, const char* what) {
            if (count == 0) return;
            world.report("idle", "node " + std::to_string(i) + " holds " + std::to_string(count) +
                                     " " + what);
        };
        expect_none(node.engine->sequence_count(), "sequences in its engine");
        expect_none(node.is_computing ? 1 : 0, "running jobs");
        if (node.entry) {
            expect_none(node.entry->active_count(), "active requests");
            expect_none(node.entry->queued_count(), "queued requests");
            expect_none(node.entry->in_flight_count(), "batches in flight");
        } else {
            expect_none(node.stage->sequence_count(), "sequences");
        }
    }
}

}  // namespace teetee::sim
