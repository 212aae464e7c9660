// SPDX-License-Identifier: Apache-2.0
// What the entry does about retained pages; the rest of it is in entry.cpp.
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "pipeline/entry.hpp"
#include "wire/limits.hpp"

namespace teetee::pipeline {

/// Where its prompt begins that no retained page holds. The last token is computed in any case,
/// because its logits are what is wanted, and all are where sampling needs the tokens themselves.
PrefixStart Entry::start_of(const Request& request) {
    const Submission& submission = request.submission;
    if (!submission.tenant || request.has_started_over || submission.sampling.needs_tokens())
        return {};
    return prefixes_.match(*submission.tenant, submission.prompt,
                           static_cast<Position>(submission.prompt.size() - 1));
}

/// Gives up retained pages, least recently used first, until all that is reserved fits.
void Entry::make_room(Effects& effects) {
    wire::Evict evict;
    const auto tell_ring = [&] {
        if (!is_alone_ && !evict.prefixes.empty())
            effects.sends.push_back({Direction::next, std::exchange(evict, {})});
    };
    const auto is_busy = [this](PrefixId id) { return ledger_.is_busy(id); };
    while (ledger_.used().positions > capacity().positions) {
        const PrefixId evicted = prefixes_.evict(is_busy);
        if (evicted == 0) break;
        ++counters_.prefix_pages_evicted;
        ledger_.drop(evicted);
        prefix_changes_.drops.push_back(evicted);
        evict.prefixes.push_back(evicted);
        if (evict.prefixes.size() == wire::Limits{}.prefixes_max) tell_ring();
    }
    tell_ring();
}

/// Keeps the whole pages that every stage has computed for the tenant's next request.
void Entry::retain(const Request& request, Effects& effects) {
    const Submission& submission = request.submission;
    if (!submission.tenant || request.computed == 0) return;
    std::vector<TokenId> tokens = submission.prompt;
    tokens.insert(tokens.end(), request.answer.begin(), request.answer.end());
    tokens.resize(std::min<size_t>(tokens.size(), request.computed));
    const std::vector<PrefixId>& shared = ledger_.shared_pages(submission.request);
    const auto span = prefixes_.add(*submission.tenant, tokens, shared.empty() ? 0 : shared.back(),
                                    static_cast<uint32_t>(shared.size()));
    if (!span) return;
    TT_ASSERT(ledger_.retain(submission.request, *span));
    counters_.prefix_pages_retained += span->page_count();
    prefix_changes_.retains.push_back({submission.request, *span});
    if (is_alone_) return;
    effects.sends.push_back(
        {Direction::next, wire::Retain{submission.request, request.epoch, *span}});
}

void Entry::forget_prefixes(Effects& effects) {
    prefixes_.clear();
    ledger_.drop_all();
    prefix_changes_ = {.drop_all = true};
    if (!is_alone_ && ring_.links().next)
        effects.sends.push_back({Direction::next, wire::Evict{.all = true}});
}

/// A stage that lost pages unseen does not have those the request was to begin behind. Or it has
/// less room than the entry thinks: a probe's free positions plus what the entry counts as used
/// there, lost pages included, was taken for the stage's capacity.
bool Entry::shows_lost_pages(const Request& request, ErrorCode code) {
    if (request.computed > 0 || request.has_started_over) return false;
    return code == ErrorCode::kv_cache_full ||
           (code == ErrorCode::prefix_unknown && request.start != PrefixStart{});
}

void Entry::fail_sequence(Requests::iterator found, Error error, Effects& effects) {
    if (shows_lost_pages(found->second, error.code)) {
        counters_.prefixes_unknown += error.code == ErrorCode::prefix_unknown ? 1 : 0;
        start_over(found, effects);
    } else {
        give_up(found, std::move(error), effects);
    }
}

/// A node that does not have this prefix has lost others with it, most likely all of them.
void Entry::start_over(Requests::iterator found, Effects& effects) {
    forget_prefixes(effects);
    if (!is_alone_) ring_.distrust_capacity();
    leave_ring(found, effects);
    Request& request = found->second;
    ++request.epoch;
    request.serial.reset();
    request.next_position = 0;
    request.usage = {};
    request.start = {};
    request.has_started_over = true;
    queue_.push_front(found->first);
}

}  // namespace teetee::pipeline
