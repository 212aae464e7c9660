// SPDX-License-Identifier: Apache-2.0
#include "sim/receipts.hpp"

#include <algorithm>

#include "crypto/hash.hpp"

namespace teetee::sim {
namespace {

/// Checking every quote of a receipt takes milliseconds. The entry has verified the signatures of
/// the others as well.
constexpr uint8_t checked_whole_one_in = 16;

std::vector<TokenId> known_tokens(const Answer& answer) {
    std::vector<TokenId> out = answer.submission.prompt;
    out.insert(out.end(), answer.tokens.begin(), answer.tokens.end());
    return out;
}

/// Leaves of the tokens from the trace's beginning on, as far as they are known.
bool are_of(const attest::Trace& trace, const std::vector<TokenId>& tokens, const TraceSalt& salt) {
    for (Position at = trace.begin; at < trace.end() && at < tokens.size(); ++at) {
        if (trace.leaves[at - trace.begin] != attest::token_leaf(salt, at, tokens[at]))
            return false;
    }
    return true;
}

/// What is on the bill was sampled, and behind it one stop token at most.
bool is_billed_once(const Answer& answer, const attest::Trace& sampled) {
    const size_t billed = answer.tokens.size();
    if (sampled.begin != answer.submission.prompt.size()) return false;
    if (answer.is_cancelled) return sampled.leaves.size() == billed;
    if (answer.reason == pipeline::FinishReason::length) return sampled.leaves.size() == billed;
    return sampled.leaves.size() == billed + 1;
}

std::optional<std::string> problem_of(const Answer& answer, const pipeline::ClientRecords& records,
                                      const std::vector<wire::NodeId>& path) {
    const TraceSalt& salt = answer.submission.salt;
    const std::vector<TokenId> tokens = known_tokens(answer);
    if (records.stages.size() != path.size()) return "not one of each stage";
    attest::TraceDigest input = digest_of(records.input, records.input.end());
    uint32_t layer = 0;
    for (size_t i = 0; i < path.size(); ++i) {
        const pipeline::SignedRecord& stage = records.stages[i];
        const attest::StageRecord& record = stage.record;
        if (record.layers.begin != layer) return "layers that do not follow";
        layer = record.layers.end;
        if (record.input != input) return "a stage took in other rows than were sent";
        if (record.output != digest_of(stage.output, stage.output.end()))
            return "leaves that were not signed";
        input = record.output;
    }
    const attest::Trace& sampled = records.stages.back().output;
    if (!are_of(records.input, tokens, salt)) return "the entry computed other tokens";
    if (!are_of(sampled, tokens, salt)) return "the tail sampled other tokens";
    if (!is_billed_once(answer, sampled)) return "the tail sampled more or less than was billed";
    return {};
}

}  // namespace

ReceiptChecker::Finding ReceiptChecker::check(uint32_t entry, const Answer& answer,
                                              const pipeline::ClientRecords& records) {
    const pipeline::Route* route = world_.nodes()[entry].entry->route(records.route.number);
    if (route == nullptr) return {.problem = "records of a route that is over"};
    Finding out{.problem = problem_of(answer, records, route->path())};
    if (out.problem) return out;
    out.liar = audit(answer, records, route->path());
    if (records.request.bytes[0] % checked_whole_one_in != 0) return out;
    attest::Receipt receipt = receipt_of(entry, answer, records);
    Finding whole = check_whole(receipt, false);
    if (whole.problem) return whole;
    pipeline::QuoteOrder order{
        .request = receipt.request, .route = records.route, .nonce = receipt_digest(receipt)};
    for (const attest::ReceiptStage& stage : receipt.stages) {
        order.statements.push_back(crypto::sha256(stage.statement));
        order.report_data[stage.record.layers] = attest::report_data(stage.statement, order.nonce);
    }
    quoting_[receipt.request] = std::move(receipt);
    world_.ask_for_quotes(entry, std::move(order));
    return out;
}

ReceiptChecker::Finding ReceiptChecker::on_quotes(uint32_t entry,
                                                  const pipeline::ClientQuotes& quotes) {
    auto found = quoting_.extract(quotes.request);
    if (found.empty()) return {.problem = "fresh quotes that nobody asked for"};
    attest::Receipt& receipt = found.mapped();
    for (attest::ReceiptStage& stage : receipt.stages)
        stage.fresh_quote = quotes.stages.at(stage.record.layers);
    receipt.fresh_signature =
        world_.nodes()[entry].identity->receipt_key.sign_recoverable(fresh_quotes_digest(receipt));
    return check_whole(receipt, true);
}

/// As node::Node makes it.
attest::Receipt ReceiptChecker::receipt_of(uint32_t entry, const Answer& answer,
                                           const pipeline::ClientRecords& records) const {
    const Node& node = world_.nodes()[entry];
    attest::Receipt out{.simulated = true,
                        .model_root = world_.trust().expectation().model_root,
                        .request = records.request,
                        .prompt_tokens = static_cast<uint32_t>(answer.submission.prompt.size()),
                        .cached_tokens = records.input.begin,
                        .completion_tokens = static_cast<uint32_t>(answer.tokens.size()),
                        .finished_at = world_.unix_now(entry),
                        .input = records.input,
                        .opening = {.salt = answer.submission.salt,
                                    .prompt = answer.submission.prompt,
                                    .answer = answer.tokens,
                                    .sampling = answer.submission.sampling}};
    const std::vector<wire::Hop>& hops = node.entry->route(records.route.number)->hops();
    for (const pipeline::SignedRecord& stage : records.stages) {
        const auto hop = std::ranges::find(hops, stage.record.layers, &wire::Hop::layers);
        out.stages.push_back({.statement = hop == hops.end() ? Bytes() : hop->statement,
                              .quote = hop == hops.end() ? Bytes() : hop->quote,
                              .record = stage.record,
                              .signature = stage.signature,
                              .output = stage.output});
    }
    out.signature = node.identity->receipt_key.sign_recoverable(receipt_digest(out));
    return out;
}

ReceiptChecker::Finding ReceiptChecker::check_whole(const attest::Receipt& receipt,
                                                    bool needs_fresh_quotes) const {
    attest::ReceiptExpectation expectation;
    expectation.peers = world_.trust().expectation();
    expectation.layer_count = world_.limits(0).layer_count;
    expectation.needs_fresh_quotes = needs_fresh_quotes;
    const auto report = check_receipt(receipt, expectation, world_.trust().policy(false));
    if (report.is_accepted()) return {};
    Finding out{.problem = report.error()->message(), .is_evidence = true};
    for (const attest::ReceiptCheck& check : report.checks) {
        const bool is_of_evidence =
            check.what.starts_with("evidence") || check.what.starts_with("fresh quote");
        out.is_evidence = out.is_evidence && (!check.error || is_of_evidence);
    }
    return out;
}

/// The first lie: the lowest position, and there the first stage. Those behind it worked on a false
/// row in good faith. As `teetee audit` does it.
std::optional<wire::NodeId> ReceiptChecker::audit(const Answer& answer,
                                                  const pipeline::ClientRecords& records,
                                                  const std::vector<wire::NodeId>& path) const {
    const TraceSalt& salt = answer.submission.salt;
    std::vector<TokenId> tokens = known_tokens(answer);
    tokens.resize(records.input.end());
    std::vector<pipeline::EngineLimits> stages;
    for (uint32_t slot = 0; slot < path.size(); ++slot) stages.push_back(world_.limits(slot));
    const Rerun rerun = run_again(answer.submission, tokens, stages);
    for (Position at = records.input.begin; at < records.input.end(); ++at) {
        for (size_t i = 0; i < path.size(); ++i) {
            const attest::Trace& output = records.stages[i].output;
            const bool is_tail = i + 1 == path.size();
            const Position place = is_tail ? at + 1 : at;
            if (place < output.begin || place >= output.end()) continue;
            const Digest leaf = is_tail
                                    ? attest::token_leaf(salt, place, rerun.tokens[at].value_or(0))
                                    : attest::row_leaf(salt, at, rerun.rows[i][at]);
            if (output.leaves[place - output.begin] != leaf) return path[i];
        }
    }
    return {};
}

}  // namespace teetee::sim
