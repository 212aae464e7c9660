// SPDX-License-Identifier: Apache-2.0
// What the entry does about retained pages; the rest of it is in entry.cpp.
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "pipeline/entry.hpp"
#include "wire/limits.hpp"

namespace teetee::pipeline {

/// Where its prompt begins that no retained page of the route holds. The last token is computed in
/// any case, because its logits are what is wanted, and all are where sampling needs the tokens
/// themselves.
PrefixStart Entry::start_of(Lane& lane, const Request& request) {
    const Submission& submission = request.submission;
    if (!submission.tenant || request.has_started_over || request.kept ||
        submission.sampling.needs_tokens())
        return {};
    return lane.prefixes.match(*submission.tenant,
                               std::span(request.tokens).first(request.prompt_count),
                               static_cast<Position>(request.prompt_count - 1));
}

/// Gives up retained pages, least recently used first, until all that is reserved fits: those of
/// the route, and where the entry's own cache is full those of others.
void Entry::make_room(Lane& lane, Effects& effects) {
    const auto is_over = [](KvAmount used, KvAmount capacity) {
        return used.positions > capacity.positions;
    };
    while (is_over(lane.ledger.used(), lane.route.capacity()) && evict(lane, effects)) {
    }
    if (!is_over(kv_used(), capacity_)) return;
    while (is_over(kv_used(), capacity_) && evict(lane, effects)) {
    }
    for (auto& [number, other] : lanes_) {
        while (is_over(kv_used(), capacity_) && evict(*other, effects)) {
        }
    }
}

/// False if the route retains no page that is idle.
bool Entry::evict(Lane& lane, Effects& effects) {
    const PrefixId evicted =
        lane.prefixes.evict([&](PrefixId id) { return lane.ledger.is_busy(id); });
    if (evicted == 0) return false;
    ++counters_.prefix_pages_evicted;
    lane.ledger.drop(evicted);
    prefix_changes_.drops.push_back(evicted);
    // One message for all that are given up in a row.
    wire::Evict* last = nullptr;
    if (!effects.sends.empty() && effects.sends.back().frame.route == lane.route.id())
        last = std::get_if<wire::Evict>(&effects.sends.back().frame.message);
    if (last != nullptr && !last->all && last->prefixes.size() < wire::Limits{}.prefixes_max)
        last->prefixes.push_back(evicted);
    else
        send(lane, wire::Evict{.prefixes = {evicted}}, effects);
    return true;
}

/// Keeps the whole pages that every stage has computed for the tenant's next request.
void Entry::retain(Request& request, Effects& effects) {
    const Submission& submission = request.submission;
    // What is resumed may have pages that were retained on the earlier route.
    if (!submission.tenant || request.computed == 0 || request.resumed > 0) return;
    Lane& lane = *request.lane;
    const auto tokens = std::span<const TokenId>(request.tokens)
                            .first(std::min<size_t>(request.tokens.size(), request.computed));
    const std::vector<PrefixId>& shared = lane.ledger.shared_pages(submission.request);
    const auto span =
        lane.prefixes.add(*submission.tenant, tokens, shared.empty() ? 0 : shared.back(),
                          static_cast<uint32_t>(shared.size()));
    if (!span) return;
    TT_ASSERT(lane.ledger.retain(submission.request, *span));
    counters_.prefix_pages_retained += span->page_count();
    prefix_changes_.retains.push_back({submission.request, *span});
    send(lane, wire::Retain{submission.request, request.epoch, *span}, effects);
}

void Entry::forget_prefixes(Lane& lane, Effects& effects) {
    const std::vector<PrefixId> forgotten = lane.prefixes.clear();
    if (forgotten.empty()) return;
    for (const PrefixId id : forgotten) {
        lane.ledger.drop(id);
        prefix_changes_.drops.push_back(id);
    }
    if (lane.route.ready()) send(lane, wire::Evict{.all = true}, effects);
}

void Entry::fail_sequence(Requests::iterator found, Error error, Effects& effects) {
    const Request& request = found->second;
    const bool is_alone = request.lane->route.is_alone();
    if (request.resumed > 0 && error.code == ErrorCode::sequence_unknown) {
        // Some stage does not have any more what it was to keep: all is computed again.
        queue_again(found, effects);
    } else if (request.computed == 0 && error.code == ErrorCode::kv_cache_full && !is_alone) {
        wait_for_room(found, effects);
    } else if (request.computed == 0 && error.code == ErrorCode::prefix_unknown &&
               request.start != PrefixStart{}) {
        start_over(found, effects);
    } else {
        give_up(found, std::move(error), effects);
    }
}

/// Another entry was faster. Or the stage lost pages unseen: a probe's free positions plus what the
/// entry counts as used there, lost pages included, is taken for the stage's capacity.
void Entry::wait_for_room(Requests::iterator found, Effects& effects) {
    Lane& lane = *found->second.lane;
    if (found->second.was_refused) forget_prefixes(lane, effects);
    lane.route.distrust_capacity();
    queue_again(found, effects);
    found->second.was_refused = true;
}

/// A node that does not have this prefix has lost others with it, most likely all of them.
void Entry::start_over(Requests::iterator found, Effects& effects) {
    ++counters_.prefixes_unknown;
    Lane& lane = *found->second.lane;
    forget_prefixes(lane, effects);
    if (!lane.route.is_alone()) lane.route.distrust_capacity();
    queue_again(found, effects);
    found->second.has_started_over = true;
}

}  // namespace teetee::pipeline
