// SPDX-License-Identifier: Apache-2.0
#include "api/operator_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "api/errors.hpp"
#include "base/bytes.hpp"

namespace teetee::api {
namespace {

bool is_ready(const node::NodeReport& report) {
    return report.entry ? report.ready : !report.is_draining;
}

boost::json::object standing_of(const node::Node& node, const node::NodeReport& report) {
    size_t linked = 0;
    for (const node::NodeReport::Peer& peer : report.peers) linked += peer.is_linked ? 1 : 0;
    const LayerRange layers = node.layers();
    return {{"status", "ok"},
            {"ready", is_ready(report)},
            {"draining", report.is_draining},
            {"role", report.entry ? "entry" : "stage"},
            {"model", node.model_id()},
            {"layers", boost::json::array{layers.begin, layers.end}},
            {"routes", report.stage.routes},
            {"links", linked},
            {"simulated", node.simulated()}};
}

/// Pages of any origin may read it at the address that is for anybody.
bool is_for_pages(std::string_view path) {
    return path == "/health" || path == "/ready" || path == "/registration";
}

}  // namespace

void OperatorRoutes::handle(const net::HttpRequest& request, net::HttpExchange& exchange) const {
    auto answered = answer(request);
    net::HttpResponse response =
        answered ? std::move(*answered)
                 : error_response(answered.error(), error_body(answered.error()));
    response.headers["cache-control"] = "no-store";
    if (!sources_ && is_for_pages(request.path))
        response.headers["access-control-allow-origin"] = "*";
    exchange.respond(std::move(response));
}

Result<net::HttpResponse> OperatorRoutes::answer(const net::HttpRequest& request) const {
    if (request.method != "GET" && request.method != "HEAD")
        return fail(ErrorCode::method_not_allowed, "this path takes GET");
    if (request.path == "/metrics" && sources_) return metrics(*sources_);
    net::HttpResponse response;
    if (request.path == "/registration" && registration_) {
        auto text = registration_();
        if (!text) {
            return fail(ErrorCode::route_unknown,
                        "this node signs for no host: it needs --pool and --host");
        }
        response.body = std::move(*text);
        return response;
    }
    if (request.path != "/health" && request.path != "/ready") {
        return fail(ErrorCode::route_unknown, "no such path: " + quote_foreign(request.path));
    }
    const node::NodeReport report = node_.report();
    if (request.path == "/ready" && !is_ready(report)) response.status = 503;
    response.body = boost::json::serialize(standing_of(node_, report)) + "\n";
    return response;
}

}  // namespace teetee::api
