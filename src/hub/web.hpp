// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "hub/limits.hpp"
#include "hub/retry.hpp"

namespace teetee::hub {

struct WebOptions {
    /// Roots that https servers are known by, PEM; empty: the system's.
    std::string ca_file{};
    /// Sent as a bearer token to token_origin, and never anywhere else; "" for none.
    std::string token{};
    /// As of origin_of().
    std::string token_origin{};
    Duration silence_max = std::chrono::seconds(30);
    RetryOptions retry{};
    /// Told why and how long is waited.
    std::function<void(const Failure& why, Duration pause)> on_wait{};
    std::stop_token stop{};
};

/// A token as a file or a variable has it, spaces and line ends around it left out; "" stays "".
/// Error: invalid_argument, which does not say the token.
Result<std::string> clean_token(std::string_view text);

struct WebAnswer {
    int status = 0;
    net::HttpHeaders headers{};
    std::string body{};
    /// The one that answered.
    std::string url{};
    /// What a hub says of a file when it sends its client on to where the bytes are: X-Linked-ETag,
    /// X-Linked-Size, X-Repo-Commit.
    net::HttpHeaders linked{};
};

struct WebRequest {
    std::string url{};
    net::HttpHeaders headers{};
    uint64_t body_bytes_max = answer_bytes_max;
    Duration time_max = std::chrono::seconds(60);
    /// As of net::HttpClientRequest, but never called for a redirect; the answer has no body yet.
    std::function<bool(const WebAnswer& answer)> on_header{};
    std::function<bool(std::string_view chunk)> on_body_chunk{};
    std::stop_token stop{};
};

/// GET with redirects followed: at most redirects_max, never from https to http, and without the
/// token on every other server than the one that it is for. Blocks; may be used by several threads.
class Web {
  public:
    Web(WebOptions options, const Clock& clock, Rng& rng)
        : options_(std::move(options)), clock_(clock), rng_(rng) {}

    /// A status that is no answer. A server that a hub sent its client on to and that forbids it
    /// has been asked by an address that ran out: that passes, since the hub gives a new one.
    Failure failure_of(const WebRequest& request, const WebAnswer& answer) const;

    const WebOptions& options() const { return options_; }
    const Clock& clock() const { return clock_; }
    Rng& rng() const { return rng_; }

    /// One try. Any status is a success. Errors: of net::http_fetch, hub_malformed, hub_refused
    /// (redirects that are not followed).
    Result<WebAnswer> ask(const WebRequest& request) const;
    /// Tries again where another try may end otherwise; any other status is a success. Errors: as
    /// above, rate_limited, hub_unavailable, cancelled.
    Result<WebAnswer> ask_patiently(const WebRequest& request) const;

  private:
    net::HttpHeaders headers_for(const std::string& url, const net::HttpHeaders& asked) const;

    WebOptions options_;
    const Clock& clock_;
    Rng& rng_;
};

}  // namespace teetee::hub
