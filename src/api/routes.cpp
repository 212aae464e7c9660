// SPDX-License-Identifier: Apache-2.0
#include "api/routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/answer.hpp"
#include "api/metrics.hpp"
#include "api/payment_routes.hpp"
#include "api/query.hpp"
#include "api/tenant.hpp"
#include "attest/statement.hpp"
#include "base/bytes.hpp"
#include "crypto/hash.hpp"

namespace teetee::api {
namespace {

constexpr std::string_view receipts_path = "/v1/receipts/";
constexpr std::string_view anchor_suffix = "/anchor";

std::optional<Dialect> dialect_of(std::string_view path) {
    if (path == "/generate") return Dialect::generate;
    if (path == "/v1/completions") return Dialect::completion;
    if (path == "/v1/chat/completions") return Dialect::chat;
    return std::nullopt;
}

/// Of requests that change something; what is read is asked for by GET, or sealed by POST.
bool takes_post(std::string_view path) {
    return dialect_of(path) || is_payment_post(path);
}

void respond_json(net::HttpExchange& exchange, int status, const boost::json::object& body) {
    net::HttpResponse response;
    response.status = status;
    if (status == 503) response.headers["retry-after"] = "1";
    response.body = boost::json::serialize(body) + "\n";
    exchange.respond(response);
}

boost::json::object models(const node::Node& node) {
    return {{"object", "list"},
            {"data", boost::json::array{
                         boost::json::object{{"id", node.model_id()},
                                             {"object", "model"},
                                             {"created", node.statement().not_before},
                                             {"owned_by", "teetee"},
                                             {"context_length", node.context_length()},
                                             {"model_root", to_hex(node.statement().model_root)},
                                             {"simulated", node.simulated()}}}}};
}

/// Of all routes, each once, in the order of their layers.
std::vector<node::RouteNode> nodes_of(const node::NodeStatus& status) {
    std::vector<node::RouteNode> nodes;
    for (const auto& route : status.routes) {
        for (const node::RouteNode& node : route) {
            if (std::ranges::count(nodes, node.node_id, &node::RouteNode::node_id) == 0)
                nodes.push_back(node);
        }
    }
    std::ranges::stable_sort(nodes, {}, &node::RouteNode::layers);
    return nodes;
}

boost::json::object health(const node::Node& node, const node::NodeStatus& status) {
    boost::json::array route;
    for (const node::RouteNode& hop : nodes_of(status)) {
        route.push_back({{"node", to_hex(hop.node_id)},
                         {"layers", boost::json::array{hop.layers.begin, hop.layers.end}}});
    }
    boost::json::array unregistered;
    for (const auto& one : status.unregistered)
        unregistered.push_back({{"node", to_hex(one.node_id)}, {"why", one.why}});
    std::string_view detail = "every layer is served";
    if (!status.ready) {
        detail = status.unregistered.empty()
                     ? "waiting for the other nodes of the route; their logs say why"
                     : "waiting for nodes that are registered; unregistered says which are not";
    }
    return {{"status", status.ready ? "ok" : "unavailable"},
            {"detail", detail},
            {"model", node.model_id()},
            {"simulated", node.simulated()},
            {"route", route},
            {"routes", status.routes.size()},
            {"unregistered", unregistered},
            {"round_trip_us",
             std::chrono::duration_cast<std::chrono::microseconds>(status.round_trip).count()},
            {"active_requests", status.active_count},
            {"queued_requests", status.queued_count},
            {"prompt_tokens", status.counters.prompt_tokens},
            {"completion_tokens", status.counters.completion_tokens}};
}

/// Whoever asks one of them verifies its evidence first.
boost::json::object entries(const node::Node& node) {
    boost::json::array list;
    for (const attest::Advert& advert : node.entries()) {
        boost::json::object entry = {
            {"node", to_hex(advert.node_id)},
            {"layers", boost::json::array{advert.layers.begin, advert.layers.end}},
            {"expires", advert.not_after}};
        if (!advert.api_url.empty()) entry["api_url"] = advert.api_url;
        if (!advert.api_tls_url.empty()) entry["api_tls_url"] = advert.api_tls_url;
        list.push_back(std::move(entry));
    }
    return {{"object", "list"},
            {"model_root", to_hex(node.statement().model_root)},
            {"data", std::move(list)}};
}

/// For the client to verify itself; the decoded statement beside it is for people.
void put_evidence(boost::json::object& node, const attest::Evidence& evidence) {
    node["statement"] = to_base64(evidence.statement);
    node["quote"] = to_base64(evidence.quote);
    if (auto statement = attest::decode_statement(evidence.statement))
        node["statement_fields"] = boost::json::parse(attest::statement_json(*statement));
}

boost::json::object evidence_of_route(const node::Node& node, const node::NodeStatus& status) {
    boost::json::array nodes;
    for (const node::RouteNode& hop : nodes_of(status)) {
        boost::json::object entry = {
            {"node", to_hex(hop.node_id)},
            {"layers", boost::json::array{hop.layers.begin, hop.layers.end}}};
        put_evidence(entry, {hop.statement, hop.quote});
        nodes.push_back(std::move(entry));
    }
    return {
        {"version", 1},
        {"ready", status.ready},
        {"simulated", node.simulated()},
        {"notice", node.simulated()
                       ? "SIMULATED: these quotes come from a development TEE and protect nothing"
                       : ""},
        {"model_root", to_hex(node.statement().model_root)},
        {"nodes", nodes}};
}

}  // namespace

Routes::Routes(const World& world)
    : world_(world),
      receipts_(
          {}, world.billing == nullptr
                  ? ReceiptStore::Kept()
                  : [ledger = &world.billing->ledger](
                        const RequestId& request) { return ledger->receipt(request); }),
      sealed_requests_({world.node, world.clock, world.rng}),
      fresh_quotes_(
          {world.clock, [&node = world.node](ByteView nonce, node::Node::OnEvidence done) {
               node.quote_for(nonce, std::move(done));
           }}) {}

void Routes::handle(net::HttpRequest request, std::shared_ptr<net::HttpExchange> exchange) {
    if (request.method == "POST" && SealedRequests::is_sealed(request)) {
        auto opened = sealed_requests_.open(request, exchange);
        if (!opened) return respond_error(*exchange, opened.error());
        // A GET has no body that could be sealed, so what is read is asked for by POST.
        if (!takes_post(opened->request.path)) opened->request.method = "GET";
        return dispatch(opened->request, std::move(opened->exchange));
    }
    dispatch(request, std::move(exchange));
}

void Routes::dispatch(const net::HttpRequest& request,
                      std::shared_ptr<net::HttpExchange> exchange) {
    const bool is_read = request.method == "GET" || request.method == "HEAD";
    if (dialect_of(request.path)) {
        if (request.method == "POST") return generate(request, std::move(exchange));
    } else if (is_payment_post(request.path)) {
        if (request.method == "POST") return respond_payment(world_.billing, request, *exchange);
    } else if (request.path == "/v1/payment") {
        if (is_read) return respond_payment(world_.billing, request, *exchange);
    } else if (request.path == "/v1/models") {
        if (is_read) return respond_json(*exchange, 200, models(world_.node));
    } else if (request.path == "/v1/entries") {
        if (is_read) return respond_json(*exchange, 200, entries(world_.node));
    } else if (request.path.starts_with(receipts_path)) {
        std::string_view id = std::string_view(request.path).substr(receipts_path.size());
        const bool wants_anchor = id.ends_with(anchor_suffix);
        if (wants_anchor) id.remove_suffix(anchor_suffix.size());
        if (is_read && wants_anchor) return respond_anchor(world_.billing, id, *exchange);
        if (is_read) return receipts_.fetch(id, std::move(exchange));
    } else if (request.path == "/health") {
        const node::NodeStatus status = world_.node.status();
        if (is_read)
            return respond_json(*exchange, status.ready ? 200 : 503, health(world_.node, status));
    } else if (request.path == "/metrics") {
        if (is_read) return exchange->respond(metrics(world_.node.status()));
    } else if (request.path == "/attestation") {
        if (is_read) return attestation(request, std::move(exchange));
    } else {
        return respond_error(*exchange, fail(ErrorCode::route_unknown,
                                             "no such path: " + quote_foreign(request.path)));
    }
    respond_error(*exchange,
                  fail(ErrorCode::method_not_allowed,
                       takes_post(request.path) ? "this path takes POST" : "this path takes GET"));
}

const Result<model::ChatTemplate>& Routes::chat() {
    if (!chat_) chat_ = model::ChatTemplate::build(world_.node.tokenizer().vocabulary());
    return *chat_;
}

void Routes::attestation(const net::HttpRequest& request,
                         std::shared_ptr<net::HttpExchange> exchange) {
    fresh_quotes_.make_for(
        request.query,
        [this, exchange](const Result<std::optional<FreshQuotes::FreshQuote>>& fresh) {
            if (!fresh) return respond_error(*exchange, fresh.error());
            const node::NodeStatus status = world_.node.status();
            boost::json::object body = evidence_of_route(world_.node, status);
            body["time"] = world_.clock.unix_now();
            auto& nodes = body["nodes"].as_array();
            if (*fresh && !nodes.empty()) {
                // The entry is the first of its route.
                boost::json::object& self = nodes.front().as_object();
                self["nonce"] = to_hex((*fresh)->nonce);
                put_evidence(self, {(*fresh)->statement, (*fresh)->quote});
            }
            respond_json(*exchange, status.ready ? 200 : 503, body);
        });
}

void Routes::generate(const net::HttpRequest& request,
                      std::shared_ptr<net::HttpExchange> exchange) {
    auto parsed = parse_generation_request(*dialect_of(request.path), request.body);
    if (!parsed) return respond_error(*exchange, parsed.error());
    if (const auto attest = query_parameter(request.query, "attest")) {
        const auto asked = ensure_asks_for_quotes(*attest);
        if (!asked) return respond_error(*exchange, asked.error());
        parsed->wants_fresh_quotes = true;
    }
    if (!parsed->has_seed) {
        // 53 bits, so that a JSON reader can hand the number back as it got it.
        ByteArray<8> random;
        world_.rng.fill(random);
        ByteReader reader(random);
        parsed->sampling.seed = reader.read_u64().value_or(0) >> 11;
    }
    parsed->tenant = tenant_of(request.headers);
    parsed->body_hash = crypto::sha256(as_bytes(request.body));
    auto payment = payment_of(request.headers);
    if (!payment) return respond_error(*exchange, payment.error());
    parsed->payment = std::move(*payment);
    Answer::start({world_.node, receipts_, world_.clock, world_.rng, world_.billing}, chat(),
                  std::move(parsed).value(), std::move(exchange));
}

}  // namespace teetee::api
