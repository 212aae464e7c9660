// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "api/metrics.hpp"
#include "net/http_server.hpp"

namespace teetee::api {

/// What a node, entry or not, tells those who look after it, apart from what clients reach:
///   GET /health         200 while it runs
///   GET /ready          200 while it may be counted on, else 503: not while it drains, and an
///   entry
///                       only with a route. A stage that listens has verified its shard
///   GET /metrics        Prometheus', where there are sources
///   GET /registration   what its host registers it with, where there is one. Nobody need believe
///                       it: it proves itself
/// Without sources it is for anybody, and pages of any origin may read it, so that a host can
/// register a node from the web app.
class OperatorRoutes {
  public:
    /// The registration file's text; nullopt where the node signs for nobody.
    using Registration = std::function<std::optional<std::string>()>;

    /// `node` MUST outlive it.
    OperatorRoutes(const node::Node& node, MetricSources sources)
        : node_(node), sources_(std::move(sources)) {}
    OperatorRoutes(const node::Node& node, Registration registration)
        : node_(node), registration_(std::move(registration)) {}

    void handle(const net::HttpRequest& request, net::HttpExchange& exchange) const;

  private:
    Result<net::HttpResponse> answer(const net::HttpRequest& request) const;

    const node::Node& node_;
    std::optional<MetricSources> sources_;
    Registration registration_;
};

}  // namespace teetee::api
