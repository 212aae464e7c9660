// SPDX-License-Identifier: Apache-2.0
// Requests that go on over another route with what is left of the first one; the rest of the entry
// is in entry.cpp.
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "pipeline/entry.hpp"

namespace teetee::pipeline {

/// What the client has got has been through all stages. What is behind it is computed again, which
/// cannot be where the tail counts tokens; nor do the stages note what came from retained pages.
bool Entry::can_keep(const Request& request) {
    return request.computed > 0 && request.start == PrefixStart{} &&
           (request.next_position == request.computed ||
            !request.submission.sampling.needs_tokens());
}

/// Of a request that waits.
void Entry::drop_kept(Request& request) {
    if (!std::exchange(request.kept, {})) return;
    const RequestId& id = request.submission.request;
    kept_.close(id);
    log_.forget(id);
    closes_.push_back(id);
}

/// Lest the first one waits for it and it for the first.
bool Entry::drop_kept_of_another(const RequestId& request) {
    for (const RequestId& id : queue_.requests()) {
        Request& other = requests_.at(id);
        if (id == request || !other.kept) continue;
        drop_kept(other);
        return true;
    }
    return false;
}

/// For each stage behind the entry; none where the request is to begin with its first row.
std::vector<wire::Resume> Entry::resumes_on(const Lane& lane, const Request& request) const {
    if (!request.kept) return {};
    const std::vector<wire::NodeId>& path = lane.route.path();
    const auto has_rows = [&](size_t stage) {
        return stage == path.size() || std::ranges::count(request.kept->path, path[stage]) > 0;
    };
    if (!has_rows(1) && !log_.covers(request.submission.request, request.kept->positions))
        return {};
    std::vector<wire::Resume> out;
    for (size_t stage = 1; stage < path.size(); ++stage) {
        const bool is_followed = has_rows(stage + 1);
        const wire::Resume kept = is_followed ? wire::Resume::keep : wire::Resume::replay;
        out.push_back(has_rows(stage) ? kept : wire::Resume::compute);
    }
    return out;
}

void Entry::resume(Request& request) {
    request.resumed = std::exchange(request.kept, {})->positions;
    const bool has_new = std::ranges::count(request.resumes, wire::Resume::compute) > 0;
    request.replayed = has_new ? 0 : request.resumed;
    request.next_position = request.resumed;
    // No stage has lost anything, should this route be lost as well.
    if (!has_new) request.computed = request.resumed;
    request.trace.go_on(request.epoch);
    request.trace.rewind(request.resumed);
    log_.rewind(request.submission.request, request.resumed);
}

/// While others fill the route as well, one batch at a time.
void Entry::replay(Instant now, Lane& lane, Effects& effects) {
    if (!lane.route.ready()) return;
    const auto is_replay = [](const auto& batch) { return batch.second.is_replay; };
    for (const auto& [serial, id] : lane.active) {
        Request& request = requests_.at(id);
        while (request.is_replaying()) {
            const bool has_room = lane.in_flight.size() < lane.route.stage_count();
            if (!has_room && std::ranges::any_of(lane.in_flight, is_replay)) return;
            replay_rows(now, lane, request, effects);
        }
    }
}

/// The next of them, as they were sent over the earlier route: to a new node as they are, to
/// another only their names. Only a new tail picks their tokens once more.
void Entry::replay_rows(Instant now, Lane& lane, Request& request, Effects& effects) {
    const RequestId& id = request.submission.request;
    const bool has_new_first = request.resumes.front() == wire::Resume::compute;
    const bool has_new_tail = request.resumes.back() == wire::Resume::compute;
    const auto rows_max =
        static_cast<Position>(std::min<size_t>(options_.chunk_rows, options_.engine.rows_max));
    Lane::Batch batch{.formed = now, .is_replay = true};
    Bytes activations;
    const Position end = std::min<Position>(request.resumed, request.replayed + rows_max);
    for (; request.replayed < end; ++request.replayed) {
        const Position at = request.replayed;
        wire::ForwardRow row{id, request.epoch, at, has_new_tail && at + 1 >= request.prompt_count};
        if (request.submission.sampling.needs_tokens()) row.token = request.tokens[at];
        batch.rows.push_back(row);
        batch.sources.push_back({request.tokens[at]});
        if (has_new_first) log_.append_to(activations, id, at);
    }
    const uint64_t batch_id = next_batch_id_++;
    if (has_new_first) {
        counters_.rows_replayed += batch.rows.size();
        send(lane,
             wire::Forward{.batch_id = batch_id,
                           .rows = batch.rows,
                           .width = options_.engine.width,
                           .activations = std::move(activations),
                           .format = options_.activations},
             effects);
    } else {
        send(lane, wire::Replay{batch_id, batch.rows}, effects);
    }
    lane.in_flight[batch_id] = std::move(batch);
}

void Entry::note_output(const wire::Forward& batch) {
    const size_t row_bytes = batch.row_bytes();
    for (size_t i = 0; i < batch.rows.size(); ++i) {
        const wire::ForwardRow& row = batch.rows[i];
        if (live(row) == requests_.end()) continue;
        log_.add(row.request, row.position,
                 ByteView(batch.activations).subspan(i * row_bytes, row_bytes));
    }
}

}  // namespace teetee::pipeline
