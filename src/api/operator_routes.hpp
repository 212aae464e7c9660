// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/metrics.hpp"
#include "net/http_server.hpp"

namespace teetee::api {

/// What a node tells those who run it, entry or not: GET /metrics, /health and /ready, apart from
/// what clients reach. /health and /ready are 200 while the node is ready, else 503.
class OperatorRoutes {
  public:
    explicit OperatorRoutes(MetricSources sources) : sources_(std::move(sources)) {}

    void handle(const net::HttpRequest& request, net::HttpExchange& exchange) const;

  private:
    MetricSources sources_;
};

}  // namespace teetee::api
