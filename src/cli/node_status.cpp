// SPDX-License-Identifier: Apache-2.0
#include "cli/node_status.hpp"

#include <boost/json.hpp>

#include "net/address.hpp"

namespace teetee::cli {
namespace {

net::HttpResponse json_answer(int status, const boost::json::object& object) {
    net::HttpResponse response;
    response.status = status;
    response.headers["cache-control"] = "no-store";
    response.body = boost::json::serialize(object);
    return response;
}

net::HttpResponse refusal(int status, std::string_view code, std::string_view message) {
    return net::build_error_response(
        {.status = status, .type = "invalid_request_error", .code = code, .message = message});
}

}  // namespace

Result<std::unique_ptr<NodeStatusServer>> NodeStatusServer::listen(net::Loop& loop,
                                                                   const std::string& address,
                                                                   const node::Node& node,
                                                                   Registration registration) {
    std::unique_ptr<NodeStatusServer> out(new NodeStatusServer(node, std::move(registration)));
    TT_TRY(const auto parsed, net::parse_address(address));
    // Few ask, and none of them for long.
    net::HttpServerOptions options;
    options.connections_max = 64;
    options.limits.body_bytes_max = 4096;
    TT_TRY(out->server_,
           net::HttpServer::listen(
               loop, parsed, options,
               [self = out.get()](const net::HttpRequest& request,
                                  const std::shared_ptr<net::HttpExchange>& exchange) {
                   exchange->respond(self->answer(request));
               }));
    return out;
}

net::HttpResponse NodeStatusServer::answer(const net::HttpRequest& request) const {
    if (request.method != "GET")
        return refusal(405, "method_not_allowed", "here one only looks: GET");
    const LayerRange layers = node_.layers();
    boost::json::object out = {{"model", node_.model_id()},
                               {"layers", boost::json::array{layers.begin, layers.end}},
                               {"entry", node_.is_entry()},
                               {"simulated", node_.simulated()}};
    if (request.path == "/health") {
        out["status"] = "ok";
        return json_answer(200, out);
    }
    if (request.path == "/ready") {
        // A stage that listens has verified its shard; whether there is a route, entries know.
        const bool is_ready = !node_.is_entry() || node_.status().ready;
        out["ready"] = is_ready;
        return json_answer(is_ready ? 200 : 503, out);
    }
    if (request.path == "/registration") {
        const auto text = registration_ ? registration_() : std::nullopt;
        if (!text)
            return refusal(404, "not_found",
                           "this node signs for no host: it needs --pool and --host");
        net::HttpResponse response;
        response.headers["cache-control"] = "no-store";
        response.body = *text;
        return response;
    }
    return refusal(404, "not_found", "have /health, /ready and /registration");
}

}  // namespace teetee::cli
