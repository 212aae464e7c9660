// SPDX-License-Identifier: Apache-2.0
#include "node/node_history.hpp"

#include <algorithm>

namespace teetee::node {
namespace {

constexpr UnixSeconds day_s = NodeHistory::span_s * UnixSeconds{NodeHistory::spans_max};

UnixSeconds span_of(UnixSeconds time) {
    return time - time % NodeHistory::span_s;
}

}  // namespace

void NodeHistory::advance(Record& record, UnixSeconds now) {
    const UnixSeconds from = std::max(span_of(now), record.last_from);
    if (record.spans.empty() || from - record.last_from >= day_s) {
        record.spans.assign(1, {});
        record.last_from = from;
    }
    for (; record.last_from < from; record.last_from += span_s) record.spans.emplace_back();
    while (record.spans.size() > spans_max) record.spans.pop_front();
}

bool NodeHistory::make_room(UnixSeconds now) {
    if (nodes_.size() < options_.nodes_max) return true;
    const auto silent = std::ranges::min_element(
        nodes_, {}, [](const auto& one) { return one.second.answered_at; });
    if (silent == nodes_.end() || now - silent->second.answered_at < span_s) return false;
    nodes_.erase(silent);
    return true;
}

void NodeHistory::on_look(UnixSeconds now, const std::map<wire::NodeId, Seen>& seen) {
    std::erase_if(nodes_, [&](const auto& one) {
        return !seen.contains(one.first) && now - one.second.answered_at >= day_s;
    });
    for (auto& [id, record] : nodes_) {
        const auto sight = seen.find(id);
        count(record, now, sight == seen.end() ? nullptr : &sight->second);
    }
    // Who is new comes last: nobody gives way that has just answered.
    for (const auto& [id, sight] : seen) {
        if (nodes_.contains(id) || !make_room(now)) continue;
        Record& record = nodes_[id];
        record.answered_at = now;
        count(record, now, &sight);
    }
}

void NodeHistory::count(Record& record, UnixSeconds now, const Seen* sight) {
    advance(record, now);
    Span& span = record.spans.back();
    ++span.probes;
    if (sight == nullptr) return;
    record.layers = sight->layers;
    if (!sight->has_answered) return;
    record.answered_at = std::max(record.answered_at, now);
    ++span.answered;
}

void NodeHistory::on_tokens(UnixSeconds now, const wire::NodeId& node, uint64_t tokens) {
    const auto found = nodes_.find(node);
    if (found == nodes_.end()) return;
    advance(found->second, now);
    found->second.spans.back().tokens += tokens;
}

NodeHistory::Extract NodeHistory::extract(const wire::NodeId& node, UnixSeconds now,
                                          size_t spans) const {
    const auto found = nodes_.find(node);
    if (found == nodes_.end()) return {};
    Record record = found->second;
    advance(record, now);
    const size_t count = std::min(spans, record.spans.size());
    Extract out;
    out.from = record.last_from + span_s - span_s * static_cast<UnixSeconds>(count);
    out.spans.assign(record.spans.end() - static_cast<std::ptrdiff_t>(count), record.spans.end());
    return out;
}

}  // namespace teetee::node
