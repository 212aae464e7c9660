// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_server.hpp"
#include "node/node.hpp"
#include "sealed/replay_window.hpp"

namespace teetee::api {

/// Opens the sealed requests of one entry (docs/api.md, "Sealed requests").
class SealedRequests {
  public:
    struct World {
        const node::Node& node;
        const Clock& clock;
        Rng& rng;
    };
    explicit SealedRequests(const World& world) : world_(world) {}

    static bool is_sealed(const net::HttpRequest& request);

    struct Opened {
        /// With the headers and the body from inside, where the path of one to /sealed stands as
        /// well. What stood outside counts for nothing.
        net::HttpRequest request;
        /// Seals the answer.
        std::shared_ptr<net::HttpExchange> exchange;
    };
    /// Errors, which are answered in the clear: sealed_malformed, version_unsupported,
    /// sealed_key_unknown, decrypt_failed, sealed_stale, sealed_replayed, overloaded.
    Result<Opened> open(const net::HttpRequest& request,
                        const std::shared_ptr<net::HttpExchange>& exchange);

  private:
    World world_;
    sealed::ReplayWindow window_;
};

}  // namespace teetee::api
