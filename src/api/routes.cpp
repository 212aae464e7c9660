// SPDX-License-Identifier: Apache-2.0
#include "api/routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "api/errors.hpp"
#include "api/metrics.hpp"
#include "api/model_views.hpp"
#include "api/network_views.hpp"
#include "api/openapi.hpp"
#include "api/payment_routes.hpp"
#include "api/query.hpp"
#include "api/reply.hpp"
#include "api/tenant.hpp"
#include "api/voucher_routes.hpp"
#include "base/bytes.hpp"
#include "crypto/hash.hpp"

namespace teetee::api {
namespace {

using ExchangePointer = std::shared_ptr<net::HttpExchange>;

void respond_json(net::HttpExchange& exchange, int status, const boost::json::object& body) {
    net::HttpResponse response;
    response.status = status;
    if (status == 503) response.headers["retry-after"] = "1";
    response.body = boost::json::serialize(body) + "\n";
    exchange.respond(std::move(response));
}

void respond_shared(net::HttpExchange& exchange, SharedText text) {
    net::HttpResponse response;
    response.shared_body = std::move(text);
    exchange.respond(std::move(response));
}

/// `kept` is made once.
void respond_constant(net::HttpExchange& exchange, SharedText& kept, std::string_view text) {
    if (kept == nullptr) kept = std::make_shared<const std::string>(text);
    respond_shared(exchange, kept);
}

void respond_result(net::HttpExchange& exchange, const Result<boost::json::object>& body) {
    if (!body) return respond_error(exchange, body.error());
    respond_json(exchange, 200, *body);
}

std::optional<Dialect> dialect_of(std::string_view path) {
    if (path == "/generate") return Dialect::generate;
    if (path == "/v1/completions") return Dialect::completion;
    if (path == "/v1/chat/completions" || path == "/chat/completions") return Dialect::chat;
    if (path == "/v1/responses" || path == "/responses") return Dialect::responses;
    if (path == "/completion" || path == "/completions") return Dialect::llama;
    if (path == "/v1/embeddings" || path == "/embeddings") return Dialect::embeddings;
    return std::nullopt;
}

/// What stands in a path where its pattern has braces; nullopt if it is another path.
std::optional<std::string_view> match(std::string_view pattern, std::string_view path) {
    const size_t open = pattern.find('{');
    if (open == std::string_view::npos)
        return path == pattern ? std::optional(std::string_view()) : std::nullopt;
    const std::string_view before = pattern.substr(0, open);
    const std::string_view behind = pattern.substr(pattern.find('}') + 1);
    if (path.size() < before.size() + behind.size() || !path.starts_with(before) ||
        !path.ends_with(behind)) {
        return std::nullopt;
    }
    path.remove_prefix(before.size());
    path.remove_suffix(behind.size());
    if (path.find('/') != std::string_view::npos) return std::nullopt;
    return path;
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
      fresh_quotes_({world.clock,
                     [&node = world.node](ByteView nonce, node::Node::OnEvidence done) {
                         node.quote_for(nonce, std::move(done));
                     }}),
      keys_({world.clock, world.rng, world.api_keys}),
      network_(world.clock),
      network_without_history_(world.clock),
      collateral_(world.clock),
      pools_(world.chain, world.clock) {}

const std::vector<Routes::Route>& Routes::table() {
    static const std::vector<Route> routes = {
        {"POST", "/generate", &Routes::generate, Access::with_key_or_payment},
        {"POST", "/v1/chat/completions", &Routes::generate, Access::with_key_or_payment},
        {"POST", "/chat/completions", &Routes::generate, Access::with_key_or_payment},
        {"POST", "/v1/completions", &Routes::generate, Access::with_key_or_payment},
        {"POST", "/v1/responses", &Routes::generate, Access::with_key_or_payment},
        {"POST", "/responses", &Routes::generate, Access::with_key_or_payment},
        {"POST", "/completion", &Routes::generate, Access::with_key_or_payment},
        {"POST", "/completions", &Routes::generate, Access::with_key_or_payment},
        {"POST", "/v1/embeddings", &Routes::generate, Access::with_key_or_payment},
        {"POST", "/embeddings", &Routes::generate, Access::with_key_or_payment},
        {"POST", "/tokenize", &Routes::tokenize, Access::with_key},
        {"POST", "/detokenize", &Routes::detokenize, Access::with_key},
        {"POST", "/apply-template", &Routes::apply_template, Access::with_key},
        {"POST", "/v1/api-keys", &Routes::make_key},
        {"POST", "/v1/api-keys/revoke", &Routes::revoke_key},
        {"POST", "/v1/payment/raise", &Routes::payment},
        {"POST", "/v1/payment/settle", &Routes::payment},
        {"POST", "/v1/vouchers", &Routes::vouchers},
        {"POST", "/v1/sign-in", &Routes::payment},
        {"POST", "/v1/sign-in/token", &Routes::payment},
        {"GET", "/v1/payment", &Routes::payment},
        {"GET", "/v1/models", &Routes::models},
        {"GET", "/models", &Routes::models},
        {"GET", "/v1/models/{id}", &Routes::model},
        {"GET", "/props", &Routes::props},
        {"GET", "/v1/entries", &Routes::entries},
        {"GET", "/v1/network", &Routes::network},
        {"GET", "/v1/pools", &Routes::pools},
        {"GET", "/v1/policy", &Routes::policy},
        {"GET", "/v1/manifest", &Routes::manifest},
        {"GET", "/v1/collateral", &Routes::collateral},
        {"GET", "/v1/receipts/{id}/anchor", &Routes::anchor},
        {"GET", "/v1/receipts/{id}", &Routes::receipt},
        {"GET", "/attestation", &Routes::attestation},
        {"GET", "/health", &Routes::health},
        {"GET", "/ready", &Routes::ready},
        {"GET", "/metrics", &Routes::metrics},
        {"GET", "/openapi.json", &Routes::openapi},
    };
    return routes;
}

void Routes::handle(net::HttpRequest request, ExchangePointer exchange) {
    const RequestContext context = RequestContext::begin(request, world_.rng, world_.cors_origins);
    exchange = context.wrap(std::move(exchange));
    if (request.method == "OPTIONS") {
        exchange = RequestTrace::observe(exchange, trace(context, request, Form::plain));
        return context.respond_preflight(request, *exchange);
    }
    if (request.method == "POST" && SealedRequests::is_sealed(request)) {
        auto opened = sealed_requests_.open(request, exchange);
        if (!opened) {
            exchange = RequestTrace::observe(exchange, trace(context, request, Form::sealed));
            return respond_error(*exchange, opened.error());
        }
        // A GET has no body that could be sealed, so what is read is asked for by POST.
        if (!takes_post(opened->request.path)) opened->request.method = "GET";
        return dispatch(opened->request, context.wrap(std::move(opened->exchange)),
                        trace(context, opened->request, Form::sealed));
    }
    dispatch(request, std::move(exchange), trace(context, request, Form::plain));
}

std::shared_ptr<RequestTrace> Routes::trace(const RequestContext& context,
                                            const net::HttpRequest& request, Form form) {
    const auto found = std::ranges::find_if(
        table(), [&](const Route& route) { return match(route.path, request.path).has_value(); });
    RequestTrace::Request told = {.id = context.id(),
                                  .method = request.method,
                                  .route = found == table().end() ? "none" : found->path,
                                  .is_sealed = form == Form::sealed};
    if (is_for_page(request)) told.route = "page";
    told.is_probe = told.route == "/health" || told.route == "/ready" || told.route == "/metrics";
    return std::make_shared<RequestTrace>(
        RequestTrace::World{world_.clock, meter_, world_.access_log}, std::move(told));
}

/// Some paths are the page's as well as the API's: what the client would rather have decides.
bool Routes::is_for_page(const net::HttpRequest& request) const {
    const bool is_read = request.method == "GET" || request.method == "HEAD";
    if (world_.page == nullptr || !is_read || !world_.page->has(request.path)) return false;
    const bool is_api = std::ranges::any_of(
        table(), [&](const Route& route) { return match(route.path, request.path).has_value(); });
    return !is_api || PageFiles::is_preferred(request.headers);
}

bool Routes::takes_post(std::string_view path) {
    return std::ranges::any_of(table(), [&](const Route& route) {
        return route.method == "POST" && match(route.path, path);
    });
}

void Routes::dispatch(const net::HttpRequest& request, ExchangePointer exchange,
                      std::shared_ptr<RequestTrace> trace) {
    exchange = RequestTrace::observe(std::move(exchange), trace);
    if (is_for_page(request)) return exchange->respond(world_.page->answer(request));
    const bool is_read = request.method == "GET" || request.method == "HEAD";
    bool is_known = false;
    for (const Route& route : table()) {
        const auto parameter = match(route.path, request.path);
        if (!parameter) continue;
        is_known = true;
        if (route.method != request.method && !(is_read && route.method == "GET")) continue;
        if (route.access == Access::with_key) {
            const auto grant = keys_.admit(net::bearer_token(request.headers));
            if (!grant) return respond_error(*exchange, grant.error());
        }
        return (this->*route.handle)({request, *parameter, std::move(trace)}, std::move(exchange));
    }
    if (!is_known) {
        return respond_error(*exchange, fail(ErrorCode::route_unknown,
                                             "no such path: " + quote_foreign(request.path)));
    }
    const bool is_post = takes_post(request.path);
    auto response =
        error_response(fail(ErrorCode::method_not_allowed,
                            is_post ? "this path takes POST" : "this path takes GET"),
                       error_body(fail(ErrorCode::method_not_allowed,
                                       is_post ? "this path takes POST" : "this path takes GET")));
    response.headers["allow"] = is_post ? "POST, OPTIONS" : "GET, HEAD, OPTIONS";
    exchange->respond(std::move(response));
}

const Chat& Routes::chat() {
    if (!chat_) chat_.emplace(Chat::of(world_.node.tokenizer().vocabulary()));
    return *chat_;
}

void Routes::tokenize(const Asked& asked, ExchangePointer exchange) {
    respond_result(*exchange,
                   api::tokenize(world_.node, chat(), asked.request.body, world_.clock.unix_now()));
}

void Routes::detokenize(const Asked& asked, ExchangePointer exchange) {
    respond_result(*exchange, api::detokenize(world_.node, asked.request.body));
}

void Routes::apply_template(const Asked& asked, ExchangePointer exchange) {
    respond_result(*exchange, api::apply_template(world_.node, chat(), asked.request.body,
                                                  world_.clock.unix_now()));
}

void Routes::make_key(const Asked& asked, ExchangePointer exchange) {
    respond_result(*exchange,
                   issue_key(world_.billing, keys_, asked.request, world_.clock.unix_now()));
}

void Routes::revoke_key(const Asked& asked, ExchangePointer exchange) {
    respond_result(*exchange, api::revoke_key(keys_, asked.request.body));
}

void Routes::payment(const Asked& asked, ExchangePointer exchange) {
    respond_result(*exchange, answer_payment(world_.billing, asked.request));
}

void Routes::vouchers(const Asked& asked, ExchangePointer exchange) {
    open_voucher(world_.billing, asked.request.body,
                 [exchange](const Result<boost::json::object>& body) {
                     if (!body) return respond_error(*exchange, body.error());
                     respond_json(*exchange, 202, *body);
                 });
}

void Routes::models(const Asked&, ExchangePointer exchange) {
    respond_json(*exchange, 200, api::models(world_.node));
}

void Routes::model(const Asked& asked, ExchangePointer exchange) {
    respond_result(*exchange, api::model(world_.node, asked.parameter));
}

void Routes::props(const Asked&, ExchangePointer exchange) {
    respond_json(*exchange, 200, api::props(world_.node));
}

void Routes::entries(const Asked&, ExchangePointer exchange) {
    respond_json(*exchange, 200, api::entries(world_.node));
}

void Routes::policy(const Asked&, ExchangePointer exchange) {
    respond_constant(*exchange, policy_, world_.node.policy_text());
}

void Routes::manifest(const Asked&, ExchangePointer exchange) {
    respond_constant(*exchange, manifest_, world_.node.manifest_text());
}

void Routes::collateral(const Asked&, ExchangePointer exchange) {
    respond_shared(*exchange, collateral_.get([this] {
        return boost::json::serialize(api::collateral(world_.node, world_.collateral)) + "\n";
    }));
}

void Routes::network(const Asked& asked, ExchangePointer exchange) {
    const auto wanted = query_parameter(asked.request.query, "history");
    const WithHistory history = wanted == "none" ? WithHistory::no : WithHistory::yes;
    KeptAnswer& kept = history == WithHistory::yes ? network_ : network_without_history_;
    respond_shared(*exchange, kept.get([&] {
        return boost::json::serialize(
                   api::network(world_.node, world_.node.status(), world_.chain, history)) +
               "\n";
    }));
}

void Routes::pools(const Asked& asked, ExchangePointer exchange) {
    auto list = pools_.list(asked.request.query);
    if (!list) return respond_error(*exchange, list.error());
    respond_shared(*exchange, std::move(*list));
}

void Routes::receipt(const Asked& asked, ExchangePointer exchange) {
    receipts_.fetch(asked.parameter, std::move(exchange));
}

void Routes::anchor(const Asked& asked, ExchangePointer exchange) {
    respond_result(*exchange, anchor_of(world_.billing, asked.parameter));
}

void Routes::health(const Asked&, ExchangePointer exchange) {
    const node::NodeStatus status = world_.node.status();
    respond_json(*exchange, status.ready ? 200 : 503, api::health(world_.node, status));
}

void Routes::ready(const Asked&, ExchangePointer exchange) {
    const node::NodeStatus status = world_.node.status();
    respond_json(*exchange, status.ready ? 200 : 503,
                 {{"ready", status.ready}, {"draining", status.is_draining}});
}

void Routes::openapi(const Asked&, ExchangePointer exchange) {
    respond_constant(*exchange, openapi_, openapi_document());
}

void Routes::metrics(const Asked&, ExchangePointer exchange) {
    if (!world_.serves_metrics) {
        return respond_error(*exchange, fail(ErrorCode::route_unknown,
                                             "this entry tells its metrics to its operator alone, "
                                             "where --metrics says"));
    }
    exchange->respond(api::metrics({world_.node, world_.clock, meter_.get(), world_.money}));
}

void Routes::attestation(const Asked& asked, ExchangePointer exchange) {
    fresh_quotes_.make_for(
        asked.request.query,
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

/// What the header says; else what the API key stands for.
Result<std::optional<billing::Payment>> Routes::payment_for(const net::HttpRequest& request) {
    TT_TRY(const auto claim, payment_of(request.headers));
    if (claim && world_.billing != nullptr) {
        TT_TRY(auto payment, payment_from(*world_.billing, *claim));
        return std::optional(std::move(payment));
    }
    TT_TRY(auto grant, keys_.admit(net::bearer_token(request.headers)));
    return std::move(grant.payment);
}

void Routes::generate(const Asked& asked, ExchangePointer exchange) {
    const net::HttpRequest& request = asked.request;
    auto payment = payment_for(request);
    if (!payment) return respond_error(*exchange, payment.error());
    auto parsed = parse_generation_request(*dialect_of(request.path), request.body);
    if (!parsed) return respond_error(*exchange, parsed.error());
    if (const auto attest = query_parameter(request.query, "attest")) {
        const auto is_quote = ensure_asks_for_quotes(*attest);
        if (!is_quote) return respond_error(*exchange, is_quote.error());
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
    parsed->payment = std::move(*payment);
    Reply::start({world_.node, receipts_, world_.clock, world_.rng, world_.billing, asked.trace},
                 chat(), std::move(parsed).value(), std::move(exchange));
}

}  // namespace teetee::api
