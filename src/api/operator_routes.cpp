// SPDX-License-Identifier: Apache-2.0
#include "api/operator_routes.hpp"

#include <boost/json/serialize.hpp>

#include "api/errors.hpp"
#include "base/bytes.hpp"

namespace teetee::api {
namespace {

boost::json::object health_of(const node::Node& node) {
    const node::NodeReport report = node.report();
    size_t linked = 0;
    for (const node::NodeReport::Peer& peer : report.peers) linked += peer.is_linked ? 1 : 0;
    return {{"ready", report.ready},
            {"draining", report.is_draining},
            {"role", report.entry ? "entry" : "stage"},
            {"layers", {{"begin", report.stage.layers.begin}, {"end", report.stage.layers.end}}},
            {"routes", report.stage.routes},
            {"links", linked},
            {"simulated", node.simulated()}};
}

}  // namespace

void OperatorRoutes::handle(const net::HttpRequest& request, net::HttpExchange& exchange) const {
    const bool is_health = request.path == "/health" || request.path == "/ready";
    if (!is_health && request.path != "/metrics") {
        return respond_error(exchange, fail(ErrorCode::route_unknown,
                                            "no such path: " + quote_foreign(request.path)));
    }
    if (request.method != "GET" && request.method != "HEAD") {
        return respond_error(exchange, fail(ErrorCode::method_not_allowed, "this path takes GET"));
    }
    if (!is_health) return exchange.respond(metrics(sources_));
    const boost::json::object body = health_of(sources_.node);
    net::HttpResponse response;
    response.status = body.at("ready").as_bool() ? 200 : 503;
    response.body = boost::json::serialize(body) + "\n";
    exchange.respond(response);
}

}  // namespace teetee::api
