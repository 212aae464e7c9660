// SPDX-License-Identifier: Apache-2.0
#include "sim/toy_engine.hpp"

#include "sim/random.hpp"

namespace teetee::sim {

using pipeline::ComputeJob;
using pipeline::ComputeResult;

ComputeResult ToyEngine::compute(ComputeJob job) {
    change(job.prefixes);
    for (const RequestId& request : job.closes) {
        const bool was_open = sequences_.erase(request) > 0;
        if (was_open) ledger_.close(request);
        expect(was_open || failed_.erase(request) > 0, "a close is of an open sequence");
    }
    ComputeResult result{.batch_id = job.batch_id};
    std::set<RequestId> failed;
    for (const pipeline::SequenceOpen& order : job.opens) {
        if (open(order)) continue;
        failed.insert(order.request);
        failed_.insert(order.request);
        result.failures.push_back({order.request, fail(ErrorCode::prefix_unknown, "toy engine")});
    }
    expect(sequences_.size() <= limits_.sequences_max, "no more sequences than the limit");
    expect(job.rows.size() <= limits_.rows_max, "no more rows than the limit");
    const bool is_first = limits_.layers.begin == 0;
    const size_t tokens = is_first ? job.rows.size() : 0;
    const size_t bytes = is_first ? 0 : job.rows.size() * sizeof(uint64_t);
    if (!expect(job.tokens.size() == tokens && job.activations.size() == bytes,
                "one token or one activation a row")) {
        return result;
    }
    ByteReader activations(job.activations);
    ByteWriter out;
    for (size_t i = 0; i < job.rows.size(); ++i) {
        const uint64_t value = is_first ? job.tokens[i] : activations.read_u64().value();
        if (!failed.contains(job.rows[i].request)) compute_row(job.rows[i], value, result, out);
    }
    if (!limits_.is_tail()) result.activations = out.take();
    return result;
}

void ToyEngine::change(const pipeline::PrefixChanges& prefixes) {
    for (const auto& [request, span] : prefixes.retains) {
        const auto found = sequences_.find(request);
        if (found == sequences_.end() || found->second.pages.size() < span.page_end ||
            !ledger_.retain(request, span)) {
            expect(false, "a retain is of computed pages of an open sequence");
            continue;
        }
        for (uint32_t i = 0; i < span.page_count(); ++i)
            pages_[span.first + i] = found->second.pages[span.page_begin + i];
        found->second.pages_kept = span.page_end;
    }
    for (const PrefixId prefix : prefixes.drops) {
        expect(pages_.erase(prefix) > 0 && ledger_.drop(prefix), "a drop is of a retained page");
    }
}

bool ToyEngine::open(const pipeline::SequenceOpen& order) {
    if (!expect(!sequences_.contains(order.request), "one epoch of a request at a time"))
        return true;
    const auto fitting = ledger_.ensure_fits(order.positions_max, order.start);
    if (!fitting && fitting.error().code == ErrorCode::prefix_unknown) return false;
    if (!expect(fitting.has_value(), "an open fits into the KV cache")) return true;
    if (!ledger_.open(order.request, order.positions_max, order.start)) return false;
    Sequence& sequence = sequences_[order.request];
    sequence = {.open = order,
                .next_position = order.start.positions,
                .layers = std::vector<uint64_t>(limits_.layer_count)};
    for (const PrefixId id : ledger_.shared_pages(order.request))
        sequence.pages.push_back(pages_.at(id));
    if (!sequence.pages.empty()) sequence.layers = sequence.pages.back();
    return true;
}

/// Later rows were computed from guesses that were wrong.
void ToyEngine::go_back(Sequence& sequence, Position position) {
    const size_t page = position / limits_.block_positions;
    if (!expect(position > sequence.open.start.positions &&
                    position >= sequence.open.prompt_positions && page >= sequence.pages_kept,
                "rows go back behind prompt and retained pages only")) {
        return;
    }
    sequence.history.resize(position - sequence.open.start.positions);
    sequence.layers = sequence.history.back();
    sequence.next_position = position;
    sequence.pages.resize(page);
}

void ToyEngine::compute_row(const pipeline::EngineRow& row, uint64_t value, ComputeResult& result,
                            ByteWriter& out) {
    const auto found = sequences_.find(row.request);
    if (!expect(found != sequences_.end(), "a row is of an open sequence")) return;
    Sequence& sequence = found->second;
    if (row.position < sequence.next_position) go_back(sequence, row.position);
    if (!expect(
            row.position == sequence.next_position && row.position < sequence.open.positions_max,
            "rows come with rising positions and without gaps")) {
        return;
    }
    ++sequence.next_position;
    for (uint32_t layer = limits_.layers.begin; layer < limits_.layers.end; ++layer) {
        uint64_t& state = sequence.layers[layer];
        state = mix(state + layer, value);
        value = state;
    }
    sequence.history.push_back(sequence.layers);
    if (sequence.next_position % limits_.block_positions == 0)
        sequence.pages.push_back(sequence.layers);
    if (!limits_.is_tail()) {
        out.u64(value);
    } else if (row.wants_token) {
        const uint64_t pick = mix(value, sequence.open.sampling.seed);
        result.tokens.push_back(
            {row.request, row.position, static_cast<TokenId>(pick % limits_.vocabulary_size)});
    }
}

bool ToyEngine::expect(bool kept, const char* promise) {
    if (!kept && !fault_) fault_ = promise;
    return kept;
}

std::vector<TokenId> reference_tokens(const pipeline::Submission& submission,
                                      pipeline::EngineLimits limits) {
    limits.layers = {0, limits.layer_count};
    ToyEngine engine(limits);
    const size_t prompt = submission.prompt.size();
    const auto positions = static_cast<Position>(prompt + submission.max_tokens);
    ComputeJob first{.batch_id = 1};
    first.opens.push_back({.request = submission.request,
                           .epoch = 1,
                           .sampling = submission.sampling,
                           .positions_max = positions,
                           .prompt_positions = static_cast<Position>(prompt)});
    std::vector<TokenId> tokens = submission.prompt;
    ComputeJob job = std::move(first);
    for (Position at = 0; at + 1 < positions; ++at) {
        job.rows = {
            {.request = submission.request, .position = at, .wants_token = at + 1 >= prompt}};
        job.tokens = {tokens[at]};
        const ComputeResult result = engine.compute(std::exchange(job, {}));
        if (!result.tokens.empty()) tokens.push_back(result.tokens[0].token);
    }
    tokens.erase(tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(prompt));
    return tokens;
}

}  // namespace teetee::sim
