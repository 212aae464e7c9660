// SPDX-License-Identifier: Apache-2.0
// Requests that go on over another route of a stage; the rest of it is in stage.cpp.
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "pipeline/batch.hpp"
#include "pipeline/stage.hpp"

namespace teetee::pipeline {

/// Its route is over. Its entry may want it on the next one, if it has it from the first row on.
void Stage::park(Instant now, Sequences::iterator found, Effects& effects) {
    if (!found->second.in_engine || found->second.has_failed ||
        found->second.start != PrefixStart{})
        return close(found);
    parked_[found->first] = {std::move(found->second), now + options_.park_time};
    sequences_.erase(found);
    await_parked(effects);
}

/// The one that has been here for longest.
Stage::ParkedSequences::iterator Stage::oldest_parked() {
    return std::ranges::min_element(parked_, {},
                                    [](const auto& parked) { return parked.second.until; });
}

/// At most one timer is under way.
void Stage::await_parked(Effects& effects) {
    if (parked_.empty() || park_timer_at_) return;
    park_timer_at_ = oldest_parked()->second.until;
    effects.timers.push_back({park_timer_id, *park_timer_at_});
}

void Stage::on_timer(Instant now, uint64_t id, Effects& effects) {
    now_ = now;
    if (id != park_timer_id || !park_timer_at_ || now < *park_timer_at_) return;
    park_timer_at_.reset();
    while (!parked_.empty() && oldest_parked()->second.until <= now) close_parked(oldest_parked());
    await_parked(effects);
    start_next(effects);
}

void Stage::close_parked(ParkedSequences::iterator parked) {
    ledger_.close(parked->first);
    log_.forget(parked->first);
    closes_.push_back(parked->first);
    parked_.erase(parked);
}

void Stage::close_all(const RequestId& request) {
    const auto sequence = sequences_.find(request);
    if (sequence != sequences_.end()) close(sequence);
    const auto parked = parked_.find(request);
    if (parked != parked_.end()) close_parked(parked);
}

/// The sequence goes on with the rows it has, behind those that every stage of the earlier route
/// has computed.
std::optional<ErrorCode> Stage::resume(const Route& route, const wire::Open& open) {
    auto known = sequences_.extract(open.request);
    auto parked = parked_.extract(open.request);
    if (known.empty() && parked.empty()) return ErrorCode::sequence_unknown;
    Sequence& sequence = sequences_[open.request] =
        std::move(known.empty() ? parked.mapped().sequence : known.mapped());
    if (!can_resume(sequence, open)) return ErrorCode::sequence_unknown;
    sequence.route = route.id;
    sequence.epoch = open.epoch;
    sequence.next_position = open.resumed_positions;
    sequence.resumed = open.resumed_positions;
    sequence.replays = open.resumes.front() == wire::Resume::replay;
    sequence.replayed = 0;
    sequence.trace.go_on(open.epoch);
    sequence.trace.rewind(open.resumed_positions);
    log_.rewind(open.request, open.resumed_positions);
    return {};
}

bool Stage::can_resume(const Sequence& sequence, const wire::Open& open) const {
    const Position end = open.resumed_positions;
    const bool is_the_same =
        sequence.in_engine && sequence.start == open.start && sequence.sampling == open.sampling &&
        sequence.positions_max == open.positions_max &&
        sequence.prompt_positions == open.prompt_positions && sequence.salt == open.salt;
    const bool can_go_back =
        end == sequence.next_position || (end < sequence.next_position && end >= sequence.settled &&
                                          !sequence.sampling.needs_tokens());
    // An entry that knows of tokens knows that those rows have left the engine.
    const bool has_output = !options_.signer || sequence.trace.has_output(end);
    const bool can_replay =
        open.resumes.front() == wire::Resume::keep || log_.covers(open.request, end);
    return is_the_same && can_go_back && has_output && can_replay;
}

/// From a new node before this one, which has computed them.
bool Stage::is_kept(const Route& route, const wire::Forward& batch) {
    if (batch.rows.empty()) return false;
    const wire::ForwardRow& first = batch.rows[0];
    const auto found = live(route.id, first.request, first.epoch);
    return found != sequences_.end() && first.position < found->second.resumed;
}

void Stage::on_replay(const Route& route, wire::Replay replay, Effects& effects) {
    wire::Forward batch{.batch_id = replay.batch_id, .width = options_.engine.width};
    const auto found = replay.rows.empty()
                           ? sequences_.end()
                           : live(route.id, replay.rows[0].request, replay.rows[0].epoch);
    if (found == sequences_.end()) {
        counters_.rows_dropped += replay.rows.size();
        return send_on(route, empty_message(replay.batch_id, options_.engine), effects);
    }
    Sequence& sequence = found->second;
    Position next = sequence.replayed;
    const auto is_next = [&](const wire::ForwardRow& row) {
        return row.request == found->first && row.epoch == sequence.epoch &&
               row.position == next++ && row.position < sequence.resumed;
    };
    if (replay.rows.size() > options_.engine.rows_max ||
        !std::ranges::all_of(replay.rows, is_next)) {
        batch.rows = std::move(replay.rows);
        return refuse(route, batch, ErrorCode::message_unexpected, effects);
    }
    if (sequence.replays && !log_.covers(found->first, next)) {
        // Noted rows have had to give way since the Open.
        batch.rows = std::move(replay.rows);
        return refuse(route, batch, ErrorCode::sequence_unknown, effects);
    }
    sequence.replayed = next;
    if (options_.engine.is_tail()) {
        send_on(route, empty_message(replay.batch_id, options_.engine), effects);
    } else if (!sequence.replays) {
        send_on(route, std::move(replay), effects);
    } else {
        batch.format = sequence.sampling.activations;
        batch.rows = std::move(replay.rows);
        for (const wire::ForwardRow& row : batch.rows)
            log_.append_to(batch.activations, row.request, row.position);
        counters_.rows_replayed += batch.rows.size();
        send_on(route, std::move(batch), effects);
    }
}

void Stage::note_output(const wire::RouteId& route, const wire::Forward& batch) {
    const size_t row_bytes = batch.row_bytes();
    for (size_t i = 0; i < batch.rows.size(); ++i) {
        const wire::ForwardRow& row = batch.rows[i];
        if (live(route, row.request, row.epoch) == sequences_.end()) continue;
        log_.add(row.request, row.position,
                 ByteView(batch.activations).subspan(i * row_bytes, row_bytes));
    }
}

}  // namespace teetee::pipeline
