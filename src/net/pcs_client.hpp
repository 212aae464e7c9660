// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "attest/pcs_messages.hpp"
#include "base/world.hpp"
#include "net/http_client.hpp"
#include "net/rest.hpp"

namespace teetee::net {

struct PcsOptions {
    /// Intel's service, or a mirror of it (PCCS), over https or http: what comes is signed.
    std::string url{attest::intel_pcs_url};
    /// For https: the roots that count, PEM; empty: the system's.
    std::string ca_file{};
    /// Of one question.
    Duration time_max = std::chrono::seconds(20);
    size_t tries_max = 4;
    /// Between two tries; the server's own wish counts up to this, beyond it the fetch has failed.
    Duration pause_max = std::chrono::seconds(60);
    std::function<void(Duration, const std::stop_token&)> wait = wait_for;
};

/// Asks a provisioning certification service for what a platform's quotes are judged by. Blocks.
class PcsClient {
  public:
    /// The URL may end as Intel's own configuration files have it, in /sgx/certification/v4/.
    /// Error: address_invalid.
    static Result<PcsClient> create(PcsOptions options);

    const std::string& url() const { return options_.url; }

    /// Four questions, each repeated when the server is busy or away. Errors name the URL:
    /// collateral_unavailable (no answer, another status, nothing known of this platform),
    /// collateral_malformed, cancelled.
    Result<attest::Collateral> fetch(const attest::PlatformId& platform, attest::TcbUpdate update,
                                     Rng& rng, const std::stop_token& stop = {}) const;

  private:
    explicit PcsClient(PcsOptions options) : options_(std::move(options)) {}

    struct Caller {
        Rng& rng;
        const std::stop_token& stop;
    };
    Result<attest::PcsAnswer> ask(const std::string& url, const Caller& caller) const;
    std::string root_crl_url() const;

    PcsOptions options_;
};

}  // namespace teetee::net
