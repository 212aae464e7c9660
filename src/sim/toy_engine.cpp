// SPDX-License-Identifier: Apache-2.0
#include "sim/toy_engine.hpp"

#include <algorithm>

#include "attest/trace.hpp"
#include "sim/random.hpp"

namespace teetee::sim {

using pipeline::ComputeJob;
using pipeline::ComputeResult;

namespace {

constexpr uint64_t lie_one_in = 8;

/// Of all options. Where the answer's beginning matters to them, of that too.
uint64_t key_of(SamplingOptions sampling, Position prompt_positions) {
    const Position begin = sampling.needs_tokens() ? sampling.answer_begin(prompt_positions) : 0;
    // As if it had never been taken up elsewhere.
    sampling.answer_given = 0;
    const Digest digest = attest::sampling_digest({}, begin, sampling);
    return ByteReader(digest).read_u64().value();
}

ComputeJob opening_job(const pipeline::Submission& submission, Position positions) {
    ComputeJob job{.batch_id = 1};
    job.opens.push_back({.request = submission.request,
                         .epoch = 1,
                         .sampling = submission.sampling,
                         .positions_max = positions,
                         .prompt_positions = static_cast<Position>(submission.prompt.size())});
    return job;
}

pipeline::EngineRow row_of(const pipeline::Submission& submission, Position at, TokenId token) {
    pipeline::EngineRow row{.request = submission.request,
                            .position = at,
                            .wants_token = at + 1 >= submission.prompt.size()};
    if (submission.sampling.needs_tokens()) row.token = token;
    return row;
}

}  // namespace

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
        const bool is_wrong = lies_ != nullptr && lies_->requests.contains(request);
        for (uint32_t i = 0; i < span.page_count(); ++i) {
            pages_[span.first + i] = found->second.pages[span.page_begin + i];
            if (is_wrong) lies_->pages.insert(span.first + i);
        }
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
    if (lies_ != nullptr && lies_->pages.contains(order.start.prefix))
        lies_->requests.insert(order.request);
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
                    position >= sequence.open.prompt_positions && page >= sequence.pages_kept &&
                    !sequence.open.sampling.needs_tokens(),
                "rows go back behind prompt and retained pages only")) {
        return;
    }
    sequence.states.resize(position - sequence.open.start.positions);
    sequence.layers = sequence.states.back();
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
    expect(row.token.has_value() == sequence.open.sampling.needs_tokens(),
           "rows say their tokens where sampling needs them");
    if (row.token) sequence.history = mix(sequence.history, *row.token);
    for (uint32_t layer = limits_.layers.begin; layer < limits_.layers.end; ++layer) {
        uint64_t& state = sequence.layers[layer];
        state = mix(state + layer, value);
        value = state;
    }
    sequence.states.push_back(sequence.layers);
    if (sequence.next_position % limits_.block_positions == 0)
        sequence.pages.push_back(sequence.layers);
    if (liar_ && (!limits_.is_tail() || row.wants_token)) value = lie_about(row.request, value);
    if (!limits_.is_tail())
        out.u64(value);
    else if (row.wants_token)
        pick(sequence, row, value, result);
}

uint64_t ToyEngine::lie_about(const RequestId& request, uint64_t value) {
    if (value % lie_one_in != 0) return value;
    lies_->nodes.insert(*liar_);
    lies_->requests.insert(request);
    return value + 1;
}

void ToyEngine::pick(const Sequence& sequence, const pipeline::EngineRow& row, uint64_t value,
                     ComputeResult& result) const {
    const SamplingOptions& sampling = sequence.open.sampling;
    const uint64_t key = key_of(sampling, sequence.open.prompt_positions);
    const uint64_t drawn = mix(value, key + sequence.history);
    const auto token_of = [&](uint64_t number) {
        return static_cast<TokenId>(number % limits_.vocabulary_size);
    };
    pipeline::SampledToken token{row.request, row.position, token_of(drawn)};
    if (sampling.logprobs) {
        const auto logprob = [](uint64_t rank) { return -1.0F - static_cast<float>(rank); };
        token.logprobs = TokenLogprobs{.chosen = logprob(drawn % 8)};
        for (uint32_t i = 0; i < sampling.top_logprobs; ++i)
            token.logprobs->top.push_back({token_of(value + i), logprob(i)});
    }
    result.tokens.push_back(std::move(token));
}

bool ToyEngine::expect(bool kept, const char* promise) {
    if (!kept && !fault_) fault_ = promise;
    return kept;
}

std::vector<pipeline::SampledToken> reference_answer(const pipeline::Submission& submission,
                                                     pipeline::EngineLimits limits) {
    limits.layers = {0, limits.layer_count};
    ToyEngine engine(limits);
    const auto positions = static_cast<Position>(submission.prompt.size() + submission.max_tokens);
    std::vector<TokenId> tokens = submission.prompt;
    std::vector<pipeline::SampledToken> answer;
    ComputeJob job = opening_job(submission, positions);
    for (Position at = 0; at + 1 < positions; ++at) {
        job.rows = {row_of(submission, at, tokens[at])};
        job.tokens = {tokens[at]};
        ComputeResult result = engine.compute(std::exchange(job, {}));
        if (result.tokens.empty()) continue;
        const TokenId token = result.tokens[0].token;
        if (std::ranges::count(submission.stop_tokens, token) > 0) break;
        tokens.push_back(token);
        answer.push_back(std::move(result.tokens[0]));
    }
    return answer;
}

Rerun run_again(const pipeline::Submission& submission, const std::vector<TokenId>& tokens,
                const std::vector<pipeline::EngineLimits>& stages) {
    Rerun out;
    out.rows.resize(stages.size() - 1);
    std::vector<ToyEngine> engines(stages.begin(), stages.end());
    for (Position at = 0; at < tokens.size(); ++at) {
        Bytes row;
        for (size_t i = 0; i < engines.size(); ++i) {
            ComputeJob job;
            if (at == 0) job = opening_job(submission, static_cast<Position>(tokens.size()));
            job.rows = {row_of(submission, at, tokens[at])};
            if (i == 0) job.tokens = {tokens[at]};
            job.activations = std::move(row);
            ComputeResult result = engines[i].compute(std::move(job));
            row = std::move(result.activations);
            if (i + 1 < engines.size()) {
                out.rows[i].push_back(row);
            } else {
                out.tokens.emplace_back();
                if (!result.tokens.empty()) out.tokens.back() = result.tokens[0].token;
            }
        }
    }
    return out;
}

}  // namespace teetee::sim
