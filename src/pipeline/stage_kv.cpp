// SPDX-License-Identifier: Apache-2.0
// What a stage sets aside and retains in its KV cache; the rest of it is in stage.cpp.
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "pipeline/stage.hpp"

namespace teetee::pipeline {

std::optional<ErrorCode> Stage::refusal_of(const Route& route, const wire::Open& open) const {
    if (open.positions_max <= open.start.positions ||
        open.positions_max > options_.engine.sequence_positions_max) {
        return ErrorCode::context_exceeded;
    }
    const auto pages = pages_.find(route.id);
    if (open.start.prefix != 0 &&
        (pages == pages_.end() || !pages->second.contains(open.start.prefix))) {
        return ErrorCode::prefix_unknown;
    }
    const auto need = ledger_.need(open.positions_max, open.start);
    return need ? std::optional<ErrorCode>() : need.error().code;
}

/// With what would be dropped for it: parked sequences, and pages of other routes that nobody uses.
KvAmount Stage::kv_free_for(const wire::RouteId& route) const {
    KvAmount free = ledger_.free();
    free.sequences += parked_.size();
    for (const auto& [request, parked] : parked_) free.positions += ledger_.own_positions(request);
    free.positions += ledger_.idle_positions();
    const auto own = pages_.find(route);
    if (own != pages_.end()) free.positions -= ledger_.idle_positions(own->second);
    return free;
}

/// The idle pages of the route itself are its entry's to drop.
bool Stage::make_room(const wire::RouteId& route, const wire::Open& open) {
    const KvAmount free = kv_free_for(route);
    if (free.sequences == 0 || free.positions < open.positions_max - open.start.positions)
        return false;
    while (!ledger_.ensure_fits(open.positions_max, open.start)) {
        if (ledger_.free().sequences > 0 && drop_idle_pages(route)) continue;
        TT_ASSERT(!parked_.empty());
        close_parked(oldest_parked());
    }
    return true;
}

/// Of the route that has the most, `but` not asked, and all of them: an entry that misses one
/// forgets all that it has retained there. False if there are none.
bool Stage::drop_idle_pages(const wire::RouteId& but) {
    std::pair<uint64_t, wire::RouteId> most{};
    for (const auto& [route, pages] : pages_) {
        if (route != but) most = std::max(most, {ledger_.idle_positions(pages), route});
    }
    if (most.first == 0) return false;
    std::erase_if(pages_.at(most.second), [this](PrefixId page) {
        if (ledger_.is_busy(page)) return false;
        ++counters_.prefix_pages_evicted;
        drop_page(page);
        return true;
    });
    return true;
}

void Stage::on_retain(const Route& route, const wire::Retain& retain, Effects& effects) {
    const auto found = live(route.id, retain.request, retain.epoch);
    const bool is_computed = found != sequences_.end() &&
                             uint64_t{retain.span.page_end} * options_.engine.block_positions <=
                                 found->second.next_position;
    if (is_computed && ledger_.retain(retain.request, retain.span)) {
        counters_.prefix_pages_retained += retain.span.page_count();
        prefix_changes_.retains.push_back({retain.request, retain.span});
        found->second.settled =
            std::max(found->second.settled, retain.span.page_end * options_.engine.block_positions);
        for (uint32_t i = 0; i < retain.span.page_count(); ++i)
            pages_[route.id].insert(retain.span.first + i);
    } else {
        ++counters_.messages_dropped;
    }
    send_on_unless_tail(route, retain, effects);
    start_next(effects);
}

void Stage::on_evict(const Route& route, wire::Evict evict, Effects& effects) {
    if (evict.all) drop_pages(route.id);
    const auto pages = pages_.find(route.id);
    for (const PrefixId prefix : evict.prefixes) {
        if (pages == pages_.end() || pages->second.erase(prefix) == 0) continue;
        ++counters_.prefix_pages_evicted;
        drop_page(prefix);
    }
    send_on_unless_tail(route, std::move(evict), effects);
    start_next(effects);
}

void Stage::drop_pages(const wire::RouteId& route) {
    const auto pages = pages_.extract(route);
    if (pages.empty()) return;
    for (const PrefixId prefix : pages.mapped()) drop_page(prefix);
}

void Stage::drop_page(PrefixId prefix) {
    TT_ASSERT(ledger_.drop(prefix));
    prefix_changes_.drops.push_back(prefix);
}

}  // namespace teetee::pipeline
