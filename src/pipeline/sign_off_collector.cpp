// SPDX-License-Identifier: Apache-2.0
#include "pipeline/sign_off_collector.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace teetee::pipeline {

wire::SignedOff message_of(uint64_t ask, const wire::NodeId& node, const SignOffResult& result) {
    wire::SignedOff message{.ask = ask, .node = node};
    if (result.signature)
        message.signature = *result.signature;
    else
        message.failure = result.signature.error().code;
    return message;
}

Result<crypto::RecoverableSignature> result_of(const wire::SignedOff& message) {
    if (message.failure) return fail(*message.failure, "the node says so");
    return message.signature;
}

void SignOffCollector::begin(Instant now, const SignOffOrder& order, Ways ways, Effects& effects) {
    TT_ASSERT(!pending_.contains(order.id));
    Pending& pending = pending_[order.id];
    pending.digest = order.digest;
    pending.outcome.id = order.id;
    pending.deadline = now + options_.timeout;
    const Error unreachable = fail(ErrorCode::route_unavailable, "the node is on no route");
    for (const auto& [node, body] : order.bodies) {
        if (!ways.contains(node)) pending.outcome.signatures.emplace(node, unreachable);
    }
    pending.ways = std::move(ways);
    end_if_complete(pending_.find(order.id), effects);
    set_timer(effects);
}

void SignOffCollector::refuse(const SignOffOrder& order, const Error& error, Effects& effects) {
    SignOffOutcome out{.id = order.id};
    for (const auto& [node, body] : order.bodies) out.signatures.emplace(node, error);
    effects.outcomes.push_back(std::move(out));
}

bool SignOffCollector::on_answer(Answer answer, Effects& effects) {
    const auto found = pending_.find(answer.id);
    if (found == pending_.end()) return false;
    Pending& pending = found->second;
    const auto way = pending.ways.find(answer.node);
    if (way == pending.ways.end() || way->second != answer.route) return false;
    pending.ways.erase(way);
    if (answer.signature) {
        const auto signer = crypto::recover_address(pending.digest, *answer.signature);
        if (!signer || *signer != answer.node)
            answer.signature = fail(ErrorCode::signature_invalid,
                                    "not the node's, or of something "
                                    "else");
    }
    pending.outcome.signatures.emplace(answer.node, std::move(answer.signature));
    end_if_complete(found, effects);
    return true;
}

void SignOffCollector::expire(Instant now, Effects& effects) {
    const Error late = fail(ErrorCode::stage_timeout, "the node sent no answer in time");
    for (auto at = pending_.begin(); at != pending_.end();) {
        const auto found = at++;
        Pending& pending = found->second;
        if (now < pending.deadline) continue;
        for (const auto& [node, route] : std::exchange(pending.ways, {}))
            pending.outcome.signatures.emplace(node, late);
        end_if_complete(found, effects);
    }
    set_timer(effects);
}

bool SignOffCollector::waits_for(const wire::RouteId& route) const {
    return std::ranges::any_of(pending_, [&](const auto& pending) {
        return std::ranges::any_of(pending.second.ways,
                                   [&](const auto& way) { return way.second == route; });
    });
}

void SignOffCollector::fail_route(const wire::RouteId& route, const Error& error,
                                  Effects& effects) {
    for (auto at = pending_.begin(); at != pending_.end();) {
        const auto found = at++;
        Pending& pending = found->second;
        std::erase_if(pending.ways, [&](const auto& way) {
            if (way.second != route) return false;
            pending.outcome.signatures.emplace(way.first, error);
            return true;
        });
        end_if_complete(found, effects);
    }
}

void SignOffCollector::set_timer(Effects& effects) const {
    if (pending_.empty()) return;
    const auto first = std::ranges::min_element(
        pending_, {}, [](const auto& pending) { return pending.second.deadline; });
    effects.timers.push_back({timer_id, first->second.deadline});
}

void SignOffCollector::end_if_complete(Pendings::iterator pending, Effects& effects) {
    if (!pending->second.ways.empty()) return;
    effects.outcomes.push_back(std::move(pending->second.outcome));
    pending_.erase(pending);
}

}  // namespace teetee::pipeline
