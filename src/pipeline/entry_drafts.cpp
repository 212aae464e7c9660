// SPDX-License-Identifier: Apache-2.0
// Tokens that the entry guesses ahead, from the text itself and from what a draft model says; the
// rest of the entry is in entry.cpp.
#include <algorithm>
#include <utility>

#include "pipeline/entry.hpp"

namespace teetee::pipeline {
namespace {

/// Requests that the draft model answers one after the other; the others go on without.
constexpr size_t asked_max = 2;
/// Tokens until a request that the model cannot take is tried again.
constexpr size_t refused_pause = 64;

}  // namespace

/// The last token of an answer is not computed on.
size_t Entry::guesses_max(const Request& request) const {
    const Submission& submission = request.submission;
    if (submission.sampling.needs_tokens()) return 0;
    const size_t left = submission.max_tokens - request.usage.completion_tokens - 1;
    return std::min<size_t>(options_.drafts_max, left);
}

/// From the text itself.
Drafter::Draft Entry::guess(const Lane& lane, Request& request, size_t most) const {
    if (!request.drafter) request.drafter.emplace();
    for (size_t i = request.drafter->size(); i < request.tokens.size(); ++i)
        request.drafter->push(request.tokens[i]);
    return request.drafter->draft(most, lane.row_cost.share());
}

/// Behind the row of its last known token.
void Entry::add_guesses(Lane& lane, Request& request, ComputeJob& job, Lane::Batch& batch,
                        size_t rows_max) {
    const size_t most = std::min(guesses_max(request), rows_max - batch.rows.size());
    if (most == 0) return;
    Request::ModelDrafts& drafts = request.drafts;
    const bool is_models = drafts.place == request.tokens.size() && !drafts.tokens.empty();
    Drafter::Draft draft;
    if (is_models) {
        draft.tokens = std::exchange(drafts.tokens, {});
        draft.tokens.resize(std::min(most, draft.tokens.size()));
    } else {
        draft = guess(lane, request, most);
    }
    if (draft.tokens.empty()) return;
    for (const TokenId token : draft.tokens) add_row(request, {token, true, is_models}, job, batch);
    counters_.tokens_drafted += draft.tokens.size();
    if (is_models) counters_.model_tokens_drafted += draft.tokens.size();
    batch.guesses.push_back({request.submission.request, request.epoch, request.tokens.size(),
                             std::move(draft), is_models});
}

/// What the tail has picked shows how many of the guesses were right; the request goes on from
/// there.
void Entry::settle(const Lane::Guess& guess) {
    const auto found = requests_.find(guess.request);
    if (found == requests_.end() || found->second.epoch != guess.epoch) return;
    Request& request = found->second;
    const auto known = std::span(request.tokens).subspan(guess.place);
    const auto differing = std::ranges::mismatch(guess.draft.tokens, known);
    const auto right = static_cast<size_t>(differing.in1 - guess.draft.tokens.begin());
    if (guess.is_models)
        request.drafts.policy.learn(guess.draft.tokens.size(), right);
    else
        request.drafter->learn(guess.draft, right);
    request.next_position = static_cast<Position>(request.tokens.size() - 1);
    request.trace.rewind(request.next_position);
}

/// For requests whose next row is one of an answer: once for each.
void Entry::ask_for_drafts(Instant now, Effects& effects) {
    if (!options_.has_draft_model) return;
    for (const auto& [number, lane] : lanes_) {
        if (!lane->route.ready()) continue;
        for (const auto& [serial, id] : lane->active) {
            Request& request = requests_.at(id);
            const bool is_next = request.is_decoding() && request.unscheduled() == 1;
            if (is_next && request.drafts.considered < request.tokens.size())
                ask_for_draft(now, *lane, request, effects);
        }
    }
}

/// At first the model only takes the text in, which nobody waits for.
void Entry::ask_for_draft(Instant now, const Lane& lane, Request& request, Effects& effects) {
    const RequestId& id = request.submission.request;
    Request::ModelDrafts& drafts = request.drafts;
    drafts.considered = request.tokens.size();
    const size_t most = guesses_max(request);
    if (most == 0 || asked_.size() >= asked_max || asked_.contains(id)) return;
    const double rate = guess(lane, request, most).rate;
    size_t count = drafts.policy.choose(most, {lane.row_cost, draft_cost_, rate});
    if (count == 0) return;
    if (!drafts.is_ready) count = 0;
    drafts.is_known = true;
    drafts.is_awaited = count > 0;
    asked_[id] = {request.tokens.size(), count, now};
    effects.drafts.push_back({.request = id,
                              .text = request.tokens,
                              .sampling = request.submission.sampling,
                              .positions_max = request.positions_max(),
                              .count = count});
}

void Entry::on_drafted(Instant now, DraftResult result, Effects& effects) {
    const auto found = asked_.find(result.request);
    if (found == asked_.end() || found->second.place != result.place) {
        ++counters_.messages_dropped;
        return;
    }
    const Asked asked = found->second;
    asked_.erase(found);
    if (asked.count > 0 && result.is_ready)
        draft_cost_.add(asked.count, std::chrono::duration<double>(now - asked.at).count());
    const auto asking = requests_.find(result.request);
    if (asking == requests_.end()) return;
    Request::ModelDrafts& drafts = asking->second.drafts;
    drafts.is_ready = result.is_ready;
    if (result.is_refused) drafts.considered = asking->second.tokens.size() + refused_pause;
    if (!std::exchange(drafts.is_awaited, false)) {
        counters_.messages_dropped += asked.count > 0 ? 1 : 0;
        return;
    }
    // No stage is to see a token that there is not.
    const auto is_unknown = [&](TokenId token) { return token >= options_.engine.vocabulary_size; };
    std::vector<TokenId>& tokens = result.tokens;
    tokens.resize(std::min(tokens.size(), asked.count));
    tokens.erase(std::ranges::find_if(tokens, is_unknown), tokens.end());
    drafts.place = result.place;
    drafts.tokens = std::move(tokens);
    schedule(now, effects);
}

/// Those that have waited too long go on without; the model is asked again once it has answered.
void Entry::await_no_longer(Instant now, Effects& effects) {
    size_t late = 0;
    bool has_new = false;
    for (auto& [id, asked] : asked_) {
        if (now - asked.at < options_.draft_timeout) continue;
        ++late;
        if (std::exchange(asked.is_late, true)) continue;
        has_new = true;
        ++counters_.drafts_late;
        const auto found = requests_.find(id);
        if (found != requests_.end()) found->second.drafts.is_awaited = false;
    }
    if (has_new && late == asked_max)
        effects.log.push_back({LogLevel::warn, "draft model: answers nothing in time"});
}

/// What it was asked for such a request keeps it busy until it has answered.
void Entry::end_drafts(const Request& request, Effects& effects) {
    if (request.drafts.is_known) effects.drafts.push_back({.closes = {request.submission.request}});
}

}  // namespace teetee::pipeline
