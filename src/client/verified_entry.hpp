// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "attest/collateral_source.hpp"
#include "attest/peer.hpp"
#include "net/http_client.hpp"
#include "sealed/request.hpp"

namespace teetee::client {

/// What the nodes of a network are held against.
struct Terms {
    /// Any node of the model.
    attest::PeerExpectation expectation;
    attest::Policy policy;
    uint32_t layer_count = 0;
    /// Null: nowhere.
    std::shared_ptr<attest::CollateralSource> collateral;
};

/// How a client makes sure that only the attested entry reads what it asks.
enum class Privacy {
    /// TLS whose certificate carries the entry's evidence.
    attested_tls,
    /// Requests sealed to the key in the entry's evidence, over any connection.
    sealed,
};

struct EntryOptions {
    std::string url;
    Privacy privacy{};
    std::shared_ptr<const Terms> terms;
    /// An entry that says nothing for so long is given up. While it answers it sends something
    /// every 8 s at the latest.
    Duration silence_max = std::chrono::seconds(20);
};

/// An entry that is told nothing before its evidence has been verified.
class VerifiedEntry {
  public:
    /// Error: address_invalid (also: attested_tls needs https).
    static Result<VerifiedEntry> open(const EntryOptions& options);

    const std::string& url() const { return options_.url; }

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
        net::HttpHeaders headers{};
        /// The first bytes of the body, for an error to quote.
        std::string beginning{};
    };
    /// Of the entry that was verified last: what payments to it are made out to.
    const crypto::Address& receipt_address() const { return receipt_address_; }

    using OnBody = std::function<bool(std::string_view)>;
    struct Call {
        std::string_view method = "GET";
        /// And behind a '?' the query.
        std::string_view path;
        std::string body{};
        net::HttpHeaders headers{};
        /// Called once, with status and headers, before any of the body; may be empty.
        std::function<void(const Answer&)> on_head{};
        /// Called with each piece of the body, until it returns false.
        OnBody on_body{};
        /// Ends the call early, from any thread.
        std::stop_token stop{};
    };
    /// From any thread, once the route is verified. What has no body is sealed with its path, so
    /// that nobody on the way sees it; other methods than GET and POST are not sealed.
    /// Errors: those of net::http_fetch and sealed::AnswerOpener; channel_unbound where a sealed
    /// request is refused in the clear, which anybody on the way could have written; unsupported
    /// for a method that is not sealed.
    Result<Answer> send(Call call) const;

    Result<Answer> post(std::string_view path, const std::string& body,
                        const net::HttpHeaders& headers, const OnBody& on_body) const;
    Result<Answer> get(std::string_view path, const OnBody& on_body) const;

  private:
    explicit VerifiedEntry(EntryOptions options) : options_(std::move(options)) {}
    net::HttpClientRequest request(std::string_view path) const;
    Result<Answer> send_plain(net::HttpClientRequest http, const Call& call) const;
    Result<Answer> send_sealed(net::HttpClientRequest http, const Call& call) const;

    EntryOptions options_;
    bool tls_ = false;
    /// Of the entry that has been verified last.
    sealed::Recipient recipient_;
    crypto::Address receipt_address_{};
    /// What the entry's clock is ahead of this one.
    UnixSeconds clock_offset_s_ = 0;
};

}  // namespace teetee::client
