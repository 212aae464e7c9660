// SPDX-License-Identifier: Apache-2.0
#include "hub/transfer.hpp"

#include <algorithm>
#include <thread>

#include "base/ascii.hpp"
#include "hub/headers.hpp"
#include "net/rest.hpp"

namespace teetee::hub {
namespace {

using std::chrono::milliseconds;

/// A file that takes longer is gone on with by the next request.
constexpr Duration request_time_max = std::chrono::hours(24);
constexpr Duration look_time = milliseconds(100);

Failure final_failure(Error error) {
    return {.error = std::move(error), .is_passing = false};
}

Failure changed(std::string detail) {
    return final_failure(fail(ErrorCode::download_changed,
                              "the file changed at its server while it was fetched: " + detail));
}

std::optional<uint64_t> content_length(const net::HttpHeaders& headers) {
    return parse_decimal(field(headers, "content-length"));
}

bool is_encoded(const net::HttpHeaders& headers) {
    const auto coding = field(headers, "content-encoding");
    return !coding.empty() && coding != "identity";
}

}  // namespace

Transfer::Transfer(const Web& web, const PartFile& part, TransferOptions options, RangeSet done)
    : web_(web), part_(part), options_(std::move(options)), done_(std::move(done)) {
    const RemoteFile& remote = options_.remote;
    if (!remote.has_ranges) {
        done_.clear();
        options_.connections = 1;
        pieces_ = {{0, remote.bytes.value_or(options_.bytes_max)}};
        return;
    }
    const uint64_t end = std::min(*remote.bytes, options_.end);
    uint64_t missing = 0;
    for (const ByteRange& gap : done_.gaps(end, file_bytes_max)) missing += gap.bytes();
    const uint64_t share = (missing + options_.connections - 1) / options_.connections;
    const auto gaps =
        done_.gaps(end, std::clamp(share, options_.piece_bytes_min, options_.piece_bytes_max));
    pieces_.assign(gaps.begin(), gaps.end());
}

Result<void> Transfer::run() {
    const std::stop_callback on_stop(web_.options().stop, [this] { stop_.request_stop(); });
    const size_t workers = std::min(options_.connections, pieces_.size());
    Result<void> watched;
    {
        working_ = workers;
        std::vector<std::jthread> threads;
        for (size_t i = 0; i < workers; ++i) {
            threads.emplace_back([this] {
                work();
                const std::lock_guard lock(mutex_);
                --working_;
                changed_.notify_all();
            });
        }
        watched = watch();
        if (!watched) stop_.request_stop();
    }
    if (auto kept = keep(); !kept && watched) watched = kept;
    if (error_) return *error_;
    TT_CHECK(watched);
    if (web_.options().stop.stop_requested()) {
        return fail(ErrorCode::cancelled, "stopped; the same command goes on from here");
    }
    return {};
}

/// Until the last worker has ended.
Result<void> Transfer::watch() {
    Instant kept_at = web_.clock().now();
    while (true) {
        uint64_t done_bytes = 0;
        {
            std::unique_lock lock(mutex_);
            if (changed_.wait_for(lock, look_time, [this] { return working_ == 0; })) return {};
            done_bytes = done_.bytes();
        }
        if (options_.on_progress) {
            options_.on_progress(done_bytes, options_.remote.bytes.value_or(0));
        }
        const Instant now = web_.clock().now();
        if (now - kept_at < options_.keep_time) continue;
        kept_at = now;
        TT_CHECK(keep());
    }
}

/// What the journal says is on the disk when it says so.
Result<void> Transfer::keep() {
    if (!options_.remote.has_ranges) return {};
    Journal journal{.bytes = *options_.remote.bytes,
                    .validator = options_.remote.validator,
                    .digest = options_.digest};
    {
        const std::lock_guard lock(mutex_);
        journal.done = done_;
    }
    return part_.keep(journal);
}

std::optional<ByteRange> Transfer::take_piece() {
    const std::lock_guard lock(mutex_);
    if (pieces_.empty()) return std::nullopt;
    const ByteRange piece = pieces_.front();
    pieces_.pop_front();
    return piece;
}

void Transfer::end_with(Error error) {
    {
        const std::lock_guard lock(mutex_);
        if (!error_ && !stop_.stop_requested()) error_ = std::move(error);
    }
    stop_.request_stop();
}

void Transfer::delay_all(Duration pause) {
    const std::lock_guard lock(mutex_);
    not_before_ = std::max(not_before_, web_.clock().now() + pause);
}

void Transfer::wait_for_turn() {
    while (!stop_.stop_requested()) {
        Duration left{};
        {
            const std::lock_guard lock(mutex_);
            left = not_before_ - web_.clock().now();
        }
        if (left <= Duration{}) return;
        net::wait_for(left, stop_.get_token());
    }
}

void Transfer::work() {
    Retry retry(web_.options().retry, web_.rng());
    while (auto left = take_piece()) {
        while (true) {
            wait_for_turn();
            if (stop_.stop_requested()) return;
            const uint64_t before = left->begin;
            const auto failure = fetch(*left);
            if (stop_.stop_requested()) return;
            if (!failure) break;
            // A server that cannot go on in the middle gives the same bytes each time.
            if (left->begin > before && options_.remote.has_ranges) retry.restart();
            const auto pause = retry.pause_after(*failure);
            if (!pause) return end_with(pause.error());
            if (web_.options().on_wait) web_.options().on_wait(*failure, *pause);
            // What one connection was asked, all are.
            if (failure->wish) {
                delay_all(*pause);
            } else {
                net::wait_for(*pause, stop_.get_token());
            }
        }
        retry.restart();
    }
}

std::optional<Failure> Transfer::fetch(ByteRange& left) {
    std::optional<Failure> refusal;
    WebRequest request;
    request.url = options_.url;
    request.stop = stop_.get_token();
    request.time_max = request_time_max;
    request.body_bytes_max = file_bytes_max;
    if (options_.remote.has_ranges) {
        request.headers["range"] =
            "bytes=" + std::to_string(left.begin) + "-" + std::to_string(left.end - 1);
    }
    request.on_header = [&](const WebAnswer& answer) {
        refusal = judge(request, answer, left);
        return !refusal;
    };
    request.on_body_chunk = [&](std::string_view chunk) {
        refusal = store(left, chunk);
        return !refusal;
    };
    auto answer = web_.ask(request);
    if (refusal) return refusal;
    if (!answer) return failure_of_error(std::move(answer).error());
    if (left.begin == left.end) return std::nullopt;
    // Of a file whose length nobody said the end is where the answer ends.
    if (!options_.remote.has_ranges && !options_.remote.bytes) return std::nullopt;
    return Failure{.error = fail(ErrorCode::connection_closed, "the answer ended too early"),
                   .is_passing = true};
}

std::optional<Failure> Transfer::judge(const WebRequest& request, const WebAnswer& answer,
                                       ByteRange& left) {
    const bool has_ranges = options_.remote.has_ranges;
    if (answer.status == (has_ranges ? 206 : 200)) {
        if (!is_encoded(answer.headers)) {
            return has_ranges ? judge_part(answer.headers, left)
                              : judge_whole(answer.headers, left);
        }
        return final_failure(
            fail(ErrorCode::hub_refused, "the server compresses what was asked for as it is"));
    }
    if (has_ranges && (answer.status == 200 || answer.status == 416)) {
        return changed("the server no longer gives this part of it");
    }
    Failure failure = web_.failure_of(request, answer);
    if (failure.is_passing || !options_.explain) return failure;
    return final_failure(options_.explain(answer.status, answer.headers));
}

std::optional<Failure> Transfer::judge_part(const net::HttpHeaders& headers, ByteRange& left) {
    const auto part = parse_content_range(field(headers, "content-range"));
    if (!part) return final_failure(part.error());
    if (part->total && *part->total != *options_.remote.bytes) return changed("its length");
    // Copies of one file on several servers may have several ETags; where there is a digest, that
    // decides.
    if (!options_.digest && validator_of(headers) != options_.remote.validator) {
        return changed("its ETag");
    }
    if (part->range.begin != left.begin || part->range.end > left.end) {
        return final_failure(fail(ErrorCode::http_malformed,
                                  "Content-Range: have another range than was asked for"));
    }
    return std::nullopt;
}

Failure Transfer::no_room() const {
    return final_failure(fail(ErrorCode::io_failed,
                              part_.part_path() + ": there is room for " +
                                  std::to_string(options_.bytes_max) +
                                  " bytes, and the file, whose length its server does not say, is "
                                  "longer; make room or name another place with --out"));
}

std::optional<Failure> Transfer::judge_whole(const net::HttpHeaders& headers, ByteRange& left) {
    const auto length = content_length(headers);
    const auto& known = options_.remote.bytes;
    if (length && known && *length != *known) {
        if (!options_.digest) return changed("its length");
        return final_failure(
            fail(ErrorCode::download_mismatch, "the server has " + std::to_string(*length) +
                                                   " bytes, need " + std::to_string(*known)));
    }
    const bool is_chunked = !field(headers, "transfer-encoding").empty();
    if (!length && !is_chunked && !known && !options_.digest) {
        return final_failure(
            fail(ErrorCode::hub_refused,
                 "the server does not say how long the file is, so that nobody can tell whether "
                 "it is whole; name its digest with --sha256"));
    }
    if (length && !known && *length > options_.bytes_max) return no_room();
    // From the beginning, whatever an earlier try has brought.
    const std::lock_guard lock(mutex_);
    done_.clear();
    left = {0, known ? *known : length.value_or(options_.bytes_max)};
    return std::nullopt;
}

std::optional<Failure> Transfer::store(ByteRange& left, std::string_view chunk) {
    if (chunk.size() > left.bytes()) {
        const bool is_bounded = options_.remote.has_ranges || options_.remote.bytes;
        if (!is_bounded && left.end == options_.bytes_max) return no_room();
        return final_failure(fail(ErrorCode::http_malformed, "more came than was asked for"));
    }
    if (auto written = part_.write(left.begin, as_bytes(chunk)); !written) {
        return final_failure(written.error());
    }
    const ByteRange came = {left.begin, left.begin + chunk.size()};
    left.begin = came.end;
    const std::lock_guard lock(mutex_);
    done_.add(came);
    fetched_bytes_ += chunk.size();
    return std::nullopt;
}

}  // namespace teetee::hub
