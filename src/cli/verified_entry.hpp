// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "cli/network_files.hpp"
#include "net/http_client.hpp"
#include "sealed/request.hpp"

namespace teetee::cli {

/// How a client makes sure that only the attested entry reads what it asks.
enum class Privacy {
    /// TLS whose certificate carries the entry's evidence.
    attested_tls,
    /// Requests sealed to the key in the entry's evidence, over any connection.
    sealed,
};

struct EntryOptions {
    std::string url;
    NetworkFiles files;
    Privacy privacy{};
};

/// An entry that is told nothing before its evidence has been verified.
class VerifiedEntry {
  public:
    /// Reads policy and manifest. Errors: address_invalid (also: attested_tls needs https), and
    /// those of the files.
    static Result<VerifiedEntry> open(const EntryOptions& options);

    struct Route {
        size_t node_count = 0;
        bool simulated = false;
    };
    /// Verifies the evidence of every node of the route: with attested TLS that of a connection's
    /// certificate first; else the entry's quote must be over a nonce of this call. MUST come
    /// before post.
    Result<Route> verify_route();

    struct Answer {
        int status = 0;
        /// The first bytes of the body, for an error to quote.
        std::string beginning;
    };
    using OnBody = std::function<bool(std::string_view)>;
    /// on_body is called with each piece of the answer, until it returns false.
    /// Errors: those of net::http_fetch and sealed::AnswerOpener; stage_failed where a sealed
    /// request is refused in the clear, which anybody on the way could have written.
    Result<Answer> post(std::string_view path, const std::string& body,
                        const OnBody& on_body) const;
    /// Likewise. Where requests are sealed, nobody on the way sees the path.
    Result<Answer> get(std::string_view path, const OnBody& on_body) const;

  private:
    net::HttpClientRequest request(std::string_view path) const;
    Result<Answer> send_plain(net::HttpClientRequest http, const OnBody& on_body) const;
    Result<Answer> send_sealed(net::HttpClientRequest http, std::string_view path,
                               const OnBody& on_body) const;

    std::string url_;
    bool tls_ = false;
    Privacy privacy_{};
    NetworkTerms terms_;
    std::unique_ptr<attest::CollateralSource> collateral_;
    /// Of the entry that has been verified last.
    sealed::Recipient recipient_;
    /// What the entry's clock is ahead of this one.
    UnixSeconds clock_offset_s_ = 0;
};

}  // namespace teetee::cli
