// SPDX-License-Identifier: Apache-2.0
#include "pipeline/quote_collector.hpp"

#include <algorithm>

#include "attest/fresh_quote.hpp"
#include "base/assert.hpp"

namespace teetee::pipeline {

wire::Quote message_of(QuoteResult result, LayerRange layers) {
    wire::Quote message{.request = result.request, .layers = layers};
    if (result.quote)
        message.quote = std::move(result.quote).value();
    else
        message.failure = result.quote.error().code;
    return message;
}

QuoteResult result_of(wire::Quote message) {
    if (message.failure) return {message.request, fail(*message.failure, "the stage says so")};
    return {message.request, std::move(message.quote)};
}

void QuoteCollector::begin(Instant now, QuoteOrder order, Effects& effects) {
    TT_ASSERT(!pending_.contains(order.request) && !order.report_data.empty());
    pending_[order.request] = {.route = order.route,
                               .report_data = std::move(order.report_data),
                               .deadline = now + options_.timeout};
    set_timer(effects);
}

void QuoteCollector::refuse(const QuoteOrder& order, const Error& error, Effects& effects) {
    ClientQuotes out{.request = order.request};
    for (const auto& [layers, report_data] : order.report_data) out.stages.emplace(layers, error);
    effects.events.emplace_back(std::move(out));
}

bool QuoteCollector::on_quote(QuoteResult result, LayerRange layers, Effects& effects) {
    const auto found = pending_.find(result.request);
    if (found == pending_.end()) return false;
    Pending& pending = found->second;
    const auto need = pending.report_data.find(layers);
    if (need == pending.report_data.end() || pending.quotes.contains(layers)) return false;
    Result<Bytes> quote = std::move(result.quote);
    if (quote) quote = attest::take_fresh_quote(std::move(quote).value(), need->second);
    pending.quotes.emplace(layers, std::move(quote));
    if (pending.quotes.size() == pending.report_data.size()) end(found, {}, effects);
    return true;
}

void QuoteCollector::expire(Instant now, Effects& effects) {
    for (auto at = pending_.begin(); at != pending_.end();) {
        const auto found = at++;
        if (now >= found->second.deadline)
            end(found, fail(ErrorCode::stage_timeout, "the stage sent none in time"), effects);
    }
    set_timer(effects);
}

bool QuoteCollector::waits_for(const wire::RouteId& route) const {
    return std::ranges::any_of(pending_,
                               [&](const auto& pending) { return pending.second.route == route; });
}

void QuoteCollector::fail_route(const wire::RouteId& route, const Error& error, Effects& effects) {
    for (auto at = pending_.begin(); at != pending_.end();) {
        const auto found = at++;
        if (found->second.route == route) end(found, error, effects);
    }
}

void QuoteCollector::set_timer(Effects& effects) const {
    if (pending_.empty()) return;
    const auto first = std::ranges::min_element(
        pending_, {}, [](const auto& pending) { return pending.second.deadline; });
    effects.timers.push_back({timer_id, first->second.deadline});
}

void QuoteCollector::end(Pendings::iterator pending, const Error& missing, Effects& effects) {
    ClientQuotes out{.request = pending->first, .stages = std::move(pending->second.quotes)};
    for (const auto& [layers, report_data] : pending->second.report_data) {
        out.stages.try_emplace(layers, missing);
    }
    effects.events.emplace_back(std::move(out));
    pending_.erase(pending);
}

}  // namespace teetee::pipeline
