// SPDX-License-Identifier: Apache-2.0
#include "pipeline/record_collector.hpp"

#include <algorithm>
#include <string>

namespace teetee::pipeline {
namespace {

Error rejected(const LayerRange& layers, std::string what) {
    return fail(ErrorCode::stage_failed, "record of layers " + std::to_string(layers.begin) +
                                             " to " + std::to_string(layers.end) + ": " +
                                             std::move(what));
}

/// What every stage says of a request must be the same but for what went through it.
bool is_of_one_request(const attest::StageRecord& a, const attest::StageRecord& b) {
    return a.request == b.request && a.epoch == b.epoch && a.sampling == b.sampling &&
           a.input.begin == b.input.begin && a.input.end == b.input.end;
}

}  // namespace

void RecordCollector::begin(const wire::RouteId& route, SignedRecord own, attest::Trace input,
                            Effects& effects) {
    const RequestId request = own.record.request;
    Pending& pending = pending_[request];
    pending.route = route;
    pending.input = std::move(input);
    pending.input.leaves.resize(own.record.input.end - own.record.input.begin);
    pending.stages[own.record.layers] = std::move(own);
    finish(pending_.find(request), effects);
}

bool RecordCollector::on_record(const Route& route, wire::Record message, Effects& effects) {
    const auto found = pending_.find(message.request);
    if (found == pending_.end() || found->second.route != route.id()) return false;
    SignedRecord record = record_of(std::move(message));
    if (const auto fits = check(found->second, record, route.hops()); !fits) {
        end(found, fits.error(), effects);
        return true;
    }
    const LayerRange layers = record.record.layers;
    found->second.stages[layers] = std::move(record);
    finish(found, effects);
    return true;
}

/// Fills in what the message does not say, and checks the rest.
Result<void> RecordCollector::check(const Pending& pending, SignedRecord& record,
                                    const std::vector<wire::Hop>& hops) const {
    const LayerRange layers = record.record.layers;
    const auto root = options_.shard_roots.find(layers);
    const auto hop = std::ranges::find(hops, layers, &wire::Hop::layers);
    if (root == options_.shard_roots.end() || hop == hops.end() || pending.stages.contains(layers))
        return rejected(layers, "not of a stage whose record is missing");
    record.record.model_root = signer().statement().model_root;
    record.record.shard_root = root->second;
    if (!is_of_one_request(record.record, pending.stages.begin()->second.record))
        return rejected(layers, "not of the rows that the entry sent");
    const auto made =
        attest::verify_record(signer().domain(), record.record, record.signature, hop->node_id);
    if (!made) return rejected(layers, made.error().detail);
    return {};
}

void RecordCollector::finish(Pendings::iterator found, Effects& effects) {
    Pending& pending = found->second;
    if (pending.stages.size() < options_.shard_roots.size()) return;
    ClientRecords out{
        .request = found->first, .route = pending.route, .input = std::move(pending.input)};
    for (auto& [layers, record] : pending.stages) {
        if (!out.stages.empty() && out.stages.back().record.output != record.record.input)
            return end(found, rejected(layers, "took in other rows than were sent"), effects);
        out.stages.push_back(std::move(record));
    }
    effects.events.emplace_back(std::move(out));
    pending_.erase(found);
}

void RecordCollector::expire(Instant now, Effects& effects) {
    for (auto at = pending_.begin(); at != pending_.end();) {
        const auto found = at++;
        if (!found->second.since) found->second.since = now;
        if (now - *found->second.since < options_.timeout) continue;
        end(found, fail(ErrorCode::stage_timeout, "records: a stage sent none"), effects);
    }
}

void RecordCollector::fail_route(const wire::RouteId& route, const Error& error, Effects& effects) {
    for (auto at = pending_.begin(); at != pending_.end();) {
        const auto found = at++;
        if (found->second.route == route) end(found, error, effects);
    }
}

bool RecordCollector::waits_for(const wire::RouteId& route) const {
    return std::ranges::any_of(pending_,
                               [&](const auto& pending) { return pending.second.route == route; });
}

void RecordCollector::end(Pendings::iterator pending, Error error, Effects& effects) {
    effects.log.push_back({LogLevel::warn, "no receipt: " + error.message()});
    effects.events.emplace_back(
        ClientRecords{.request = pending->first, .failure = std::move(error)});
    pending_.erase(pending);
}

}  // namespace teetee::pipeline
