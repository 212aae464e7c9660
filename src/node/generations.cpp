// SPDX-License-Identifier: Apache-2.0
#include "node/generations.hpp"

#include <algorithm>

#include "crypto/hash.hpp"
#include "pipeline/router.hpp"

namespace teetee::node {

std::optional<Duration> Generations::time_for(const Generation& generation) const {
    const bool is_limited = world_.request_time_max != Duration{};
    if (!is_limited && !generation.timeout) return std::nullopt;
    const Duration most = is_limited ? world_.request_time_max : *generation.timeout;
    // One whose time is over has its end with the next look at deadlines.
    return std::max(Duration(1),
                    std::min(generation.timeout.value_or(most), most) - generation.waited);
}

Result<RequestId> Generations::begin(Generation generation, GenerationEvents events) {
    pipeline::Submission submission;
    world_.rng.fill(submission.request.bytes);
    world_.rng.fill(submission.salt);
    const RequestId request = submission.request;
    submission.prompt = std::move(generation.prompt);
    submission.max_tokens = generation.tokens_max;
    submission.sampling = generation.sampling;
    // As the stages sign for it.
    submission.sampling.activations = world_.entry.machine().activations();
    submission.stop_tokens = world_.stop_tokens;
    submission.tenant = generation.tenant;
    const std::optional<Duration> time = time_for(generation);
    running_[request] = {
        std::move(events),
        {.salt = submission.salt, .prompt = submission.prompt, .sampling = submission.sampling}};
    auto submitted =
        world_.entry.act([&](pipeline::Entry& entry, Instant now, pipeline::Effects& effects) {
            if (time) submission.deadline = now + *time;
            return entry.submit(now, std::move(submission), effects);
        });
    if (!submitted) {
        running_.erase(request);
        return std::move(submitted).error();
    }
    return request;
}

Result<pipeline::Usage> Generations::cancel(const RequestId& request) {
    const auto known = running_.find(request);
    // A pass yields several tokens; whoever cancels at one of them has not been told the others.
    const size_t told = known == running_.end() ? 0 : known->second.opening.answer.size();
    // Callbacks of a request that has just ended by itself stay: its last event is on its way.
    auto usage =
        world_.entry.act([&](pipeline::Entry& entry, Instant now, pipeline::Effects& effects) {
            return entry.cancel(now, request, effects, static_cast<uint32_t>(told));
        });
    const auto running = running_.find(request);
    if (!usage || running == running_.end()) return usage;
    // Behind its first token the records are still to come.
    if (usage->completion_tokens == 0 || !running->second.events.on_receipt) {
        running_.erase(running);
    } else {
        running->second.is_cancelled = true;
    }
    return usage;
}

void Generations::on_event(const pipeline::ClientEvent& event) {
    if (const auto* made = std::get_if<pipeline::ClientQuotes>(&event)) return on_quotes(*made);
    const RequestId request = std::visit([](const auto& e) { return e.request; }, event);
    const auto found = running_.find(request);
    if (found == running_.end()) return;
    // Copies: a callback may cancel the request and so erase its own entry.
    const GenerationEvents events = found->second.events;
    if (const auto* token = std::get_if<pipeline::ClientToken>(&event)) {
        if (found->second.is_cancelled) return;
        found->second.opening.answer.push_back(token->token);
        events.on_token(*token);
    } else if (const auto* done = std::get_if<pipeline::ClientDone>(&event)) {
        if (!events.on_receipt) running_.erase(found);
        events.on_done(done->reason, done->usage);
    } else if (const auto* failed = std::get_if<pipeline::ClientFailed>(&event)) {
        // Behind its first token the records are still to come.
        if (failed->usage.completion_tokens == 0 || !events.on_receipt) running_.erase(found);
        events.on_failed(failed->error, failed->usage);
    } else {
        on_records(std::get<pipeline::ClientRecords>(event));
    }
}

void Generations::on_quotes(const pipeline::ClientQuotes& made) {
    auto quoting = quotings_.extract(made.request);
    attest::Receipt& receipt = quoting.mapped().receipt;
    for (attest::ReceiptStage& part : receipt.stages) {
        part.fresh_quote = made.stages.at(part.record.layers);
        fresh_quotes_missing_ += *part.fresh_quote ? 0 : 1;
    }
    receipt.fresh_signature =
        world_.identity.receipt_key.sign_recoverable(attest::fresh_quotes_digest(receipt));
    quoting.mapped().done(std::move(receipt));
}

void Generations::on_records(const pipeline::ClientRecords& records) {
    auto running = running_.extract(records.request);
    const auto& on_receipt = running.mapped().events.on_receipt;
    if (!on_receipt) return;
    if (records.failure) return on_receipt(*records.failure);
    const attest::Receipt receipt = receipt_of(records, std::move(running.mapped().opening));
    const pipeline::Route* way = world_.entry.machine().route(records.route.number);
    if (way != nullptr && world_.on_computed) {
        world_.on_computed(way->path(), uint64_t{receipt.prompt_tokens} - receipt.cached_tokens +
                                            receipt.completion_tokens);
    }
    on_receipt(receipt);
}

attest::Receipt Generations::receipt_of(const pipeline::ClientRecords& records,
                                        attest::ReceiptOpening opening) const {
    attest::Receipt receipt;
    receipt.simulated = world_.simulated;
    receipt.chain_id = world_.identity.statement.chain_id;
    receipt.contract = world_.identity.statement.contract;
    receipt.pool = world_.identity.statement.pool;
    receipt.model_root = world_.identity.statement.model_root;
    receipt.request = records.request;
    receipt.prompt_tokens = static_cast<uint32_t>(opening.prompt.size());
    receipt.cached_tokens = records.input.begin;
    receipt.completion_tokens = static_cast<uint32_t>(opening.answer.size());
    receipt.input = records.input;
    receipt.opening = std::move(opening);
    const pipeline::Route* way = world_.entry.machine().route(records.route.number);
    const std::vector<RouteNode> nodes = way == nullptr ? std::vector<RouteNode>() : nodes_of(*way);
    for (const pipeline::SignedRecord& signed_record : records.stages) {
        attest::ReceiptStage out;
        out.record = signed_record.record;
        out.signature = signed_record.signature;
        out.output = signed_record.output;
        for (const RouteNode& node : nodes) {
            if (node.layers != out.record.layers) continue;
            out.statement = node.statement;
            out.quote = node.quote;
        }
        receipt.stages.push_back(std::move(out));
    }
    return receipt;
}

/// The one over the nodes that have signed it, if that is there still.
wire::RouteId Generations::route_of(const attest::Receipt& receipt) const {
    pipeline::Path path;
    for (const attest::ReceiptStage& part : receipt.stages) {
        const auto statement = attest::decode_statement(part.statement);
        path.push_back(statement ? statement->receipt_address : wire::NodeId{});
    }
    for (const pipeline::Route* way : world_.entry.machine().routes()) {
        if (way->path() == path) return way->id();
    }
    return {};
}

std::vector<RouteNode> Generations::nodes_of(const pipeline::Route& way) const {
    if (way.is_alone()) {
        return {{world_.identity.receipt_key.address(), world_.identity.statement.layers,
                 world_.identity.statement_bytes, world_.identity.quote}};
    }
    std::vector<RouteNode> out;
    for (const wire::Hop& hop : way.hops())
        out.push_back({hop.node_id, hop.layers, hop.statement, hop.quote});
    return out;
}

void Generations::add_fresh_quotes(attest::Receipt receipt,
                                   std::function<void(attest::Receipt)> done) {
    pipeline::QuoteOrder order{.request = receipt.request,
                               .route = route_of(receipt),
                               .nonce = attest::receipt_digest(receipt)};
    for (const attest::ReceiptStage& stage : receipt.stages) {
        order.statements.push_back(crypto::sha256(stage.statement));
        order.report_data[stage.record.layers] = attest::report_data(stage.statement, order.nonce);
    }
    quotings_[order.request] = {std::move(receipt), std::move(done)};
    world_.entry.act([&](pipeline::Entry& entry, Instant now, pipeline::Effects& effects) {
        entry.ask_for_quotes(now, std::move(order), effects);
    });
}

}  // namespace teetee::node
