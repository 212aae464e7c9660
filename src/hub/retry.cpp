// SPDX-License-Identifier: Apache-2.0
#include "hub/retry.hpp"

#include "base/jitter.hpp"
#include "hub/headers.hpp"

namespace teetee::hub {
namespace {

bool is_passing(int status) {
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
           status == 504;
}

/// A body that breaks off in the middle is malformed.
bool is_passing(ErrorCode code) {
    return code == ErrorCode::timed_out || code == ErrorCode::connect_failed ||
           code == ErrorCode::connection_closed || code == ErrorCode::http_malformed ||
           code == ErrorCode::io_failed;
}

}  // namespace

Failure failure_of_status(int status, const net::HttpHeaders& headers, UnixSeconds now) {
    const auto code = status == 429        ? ErrorCode::rate_limited
                      : is_passing(status) ? ErrorCode::hub_unavailable
                                           : ErrorCode::hub_refused;
    Failure out{.error = fail(code, "HTTP status " + std::to_string(status)),
                .is_passing = is_passing(status)};
    if (out.is_passing) out.wish = parse_retry_after(field(headers, "retry-after"), now);
    return out;
}

Failure failure_of_error(Error error) {
    const bool passing = is_passing(error.code);
    return {.error = std::move(error), .is_passing = passing};
}

void Retry::restart() {
    tries_ = 0;
    pause_ = options_.pause_first;
}

Result<Duration> Retry::pause_after(const Failure& failure) {
    if (!failure.is_passing) return failure.error;
    if (failure.wish && *failure.wish > options_.wish_max) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*failure.wish);
        return fail(ErrorCode::rate_limited, failure.error.detail +
                                                 ": the server asks to come again in " +
                                                 std::to_string(seconds.count()) +
                                                 " s; the same command goes on from here then");
    }
    if (++tries_ >= options_.tries_max) {
        const bool is_limit = failure.error.code == ErrorCode::rate_limited;
        return fail(is_limit ? ErrorCode::rate_limited : ErrorCode::hub_unavailable,
                    failure.error.detail + ", " + std::to_string(tries_) +
                        " times in a row; the same command goes on from here");
    }
    if (failure.wish) return *failure.wish;
    const Duration pause = with_jitter(pause_, rng_);
    pause_ *= 2;
    return pause;
}

}  // namespace teetee::hub
