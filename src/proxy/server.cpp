// SPDX-License-Identifier: Apache-2.0
#include "proxy/server.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/hash.hpp"
#include "net/call_pool.hpp"
#include "net/header_field.hpp"
#include "proxy/job.hpp"

namespace teetee::proxy {
namespace {

namespace json = boost::json;

constexpr std::string_view status_path = "/proxy/status";

/// What belongs to the wallet that pays, and to no application.
bool is_of_the_wallet(std::string_view path) {
    for (const std::string_view own : {"/v1/payment", "/v1/sign-in", "/v1/api-keys"}) {
        if (path == own || (path.starts_with(own) && path[own.size()] == '/')) return true;
    }
    return false;
}

net::HttpResponse refusal_of(const net::HttpError& error, const net::HttpHeaders& page_headers) {
    net::HttpResponse response = net::build_error_response(error);
    response.headers.insert(page_headers.begin(), page_headers.end());
    if (error.status == 401) response.headers["www-authenticate"] = "Bearer";
    return response;
}

constexpr net::HttpError wallet_error = {
    404, "invalid_request_error", "route_unknown",
    "payments and sign-ins are made by serve-local itself, with a key that no application has"};
constexpr net::HttpError payment_error = {
    400, "invalid_request_error", "payment_malformed",
    "serve-local pays for requests itself: send none of TeeTee-Payment, or ask the entry"};
constexpr net::HttpError busy_error = {
    503, "overloaded_error", "overloaded",
    "as many requests as serve-local takes at a time are under way (--requests-max)"};

}  // namespace

struct Server::Impl {
    Impl(net::Loop& own_loop, ServerOptions own_options, Log& own_log)
        : loop(own_loop), options(std::move(own_options)), log(own_log) {
        SystemRng().fill(secret);
        started_at = SystemClock().unix_now();
    }

    /// An id, as an entry's answers have one, and what lets a page of a known origin read them.
    net::HttpHeaders page_headers(const net::HttpRequest& request) const {
        ByteArray<16> random;
        SystemRng().fill(random);
        net::HttpHeaders out = {{"x-request-id", "req_" + to_hex(random)}};
        // Where answers are different for pages, whoever keeps them must know.
        if (!options.access.origins.empty()) out["vary"] = "origin";
        if (!is_listed_page(options.access, request)) return out;
        out["access-control-allow-origin"] = net::field(request.headers, "origin");
        out["access-control-expose-headers"] =
            "teetee-entry, teetee-verified, teetee-simulated, teetee-receipt, retry-after, "
            "x-request-id";
        return out;
    }

    /// By which the entry knows the requests of one application from those of others.
    std::string authorization_of(const net::HttpRequest& request) const {
        if (!options.entry_key.empty()) return options.entry_key;
        const std::string_view key = net::bearer_token(request.headers).value_or("");
        Bytes input(secret.begin(), secret.end());
        input.insert(input.end(), key.begin(), key.end());
        return to_hex(crypto::sha256(input));
    }

    void handle(net::HttpRequest request, std::shared_ptr<net::HttpExchange> exchange) {
        counters.add(&Counters::Counts::requests);
        const net::HttpHeaders page = page_headers(request);
        const auto refuse = [&](const net::HttpError& error) {
            counters.add(&Counters::Counts::refused);
            auto response = refusal_of(error, page);
            if (error.status == 503) response.headers["retry-after"] = "1";
            exchange->respond(std::move(response));
        };
        if (const auto refused = refuse_access(options.access, request)) return refuse(*refused);
        if (request.method == "OPTIONS" && is_listed_page(options.access, request))
            return allow(request, page, *exchange);
        if (request.headers.contains("teetee-payment")) return refuse(payment_error);
        if (is_of_the_wallet(request.path)) return refuse(wallet_error);
        auto writer = std::make_shared<ExchangeWriter>(loop, exchange);
        counters.add(&Counters::Counts::active);
        auto call = [this, page, writer, asked = std::move(request)]() mutable {
            work(std::move(asked), page, *writer);
            counters.end_active();
        };
        std::erase_if(writers, [](const auto& one) { return one.expired(); });
        writers.push_back(writer);
        if (calls->try_call(std::move(call))) return;
        counters.end_active();
        refuse(busy_error);
    }

    /// What a browser asks before a page may ask.
    void allow(const net::HttpRequest& request, net::HttpHeaders headers,
               net::HttpExchange& exchange) const {
        headers["access-control-allow-methods"] = "GET, POST, DELETE";
        const auto wanted = request.headers.find("access-control-request-headers");
        headers["access-control-allow-headers"] =
            wanted == request.headers.end() ? "authorization, content-type" : wanted->second;
        headers["access-control-max-age"] = "600";
        exchange.respond({.status = 204, .content_type = {}, .headers = headers, .body = {}});
    }

    /// On a thread of its own.
    void work(net::HttpRequest request, const net::HttpHeaders& page, ExchangeWriter& writer) {
        if (request.path == status_path) return writer.respond(status(page));
        Job job = {.options = options,
                   .counters = counters,
                   .log = log,
                   .request = std::move(request),
                   .authorization = {},
                   .page_headers = page,
                   .writer = writer};
        job.authorization = authorization_of(job.request);
        if (!answer_resumably(job)) pass_on(job);
    }

    net::HttpResponse status(const net::HttpHeaders& page) const {
        const std::string preferred = options.entries->preferred();
        json::array list;
        for (const std::string& url : options.entries->urls()) {
            json::object one = {{"url", url}};
            const auto known = options.entries->known(url);
            one["verified_at"] = known ? json::value(known->verified_at) : json::value(nullptr);
            if (known) {
                one["nodes"] = known->route.node_count;
                one["simulated"] = known->route.simulated;
            }
            list.push_back(std::move(one));
        }
        const auto counts = counters.counts();
        json::object body = {{"entry", preferred},
                             {"entries", std::move(list)},
                             {"started_at", started_at},
                             {"requests",
                              {{"all", counts.requests},
                               {"active", counts.active},
                               {"refused", counts.refused},
                               {"failed", counts.failed},
                               {"went_on_elsewhere", counts.moved}}}};
        const auto known = options.entries->known(preferred);
        if (known && options.payment_status) body["payment"] = options.payment_status(known->entry);
        net::HttpResponse response;
        response.headers = page;
        response.headers["cache-control"] = "no-store";
        response.body = json::serialize(body) + "\n";
        return response;
    }

    net::Loop& loop;
    const ServerOptions options;
    Log& log;
    ByteArray<32> secret{};
    UnixSeconds started_at = 0;
    Counters counters;
    /// Of what is under way.
    std::vector<std::weak_ptr<ExchangeWriter>> writers;
    std::unique_ptr<net::HttpServer> http;
    /// Ends before what its calls use.
    std::unique_ptr<net::CallPool> calls;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
    // Whoever still waits for an answer gets none, and what is under way for it is given up.
    impl_->http.reset();
    for (const auto& one : impl_->writers) {
        if (const auto writer = one.lock()) writer->cancel();
    }
    impl_->calls.reset();
}

Result<std::unique_ptr<Server>> Server::listen(net::Loop& loop, ServerOptions options, Log& log) {
    auto impl = std::make_unique<Impl>(loop, std::move(options), log);
    impl->calls = std::make_unique<net::CallPool>(impl->options.requests_max);
    net::HttpServerOptions http;
    // What waits for an answer is a connection, too.
    http.connections_max = impl->options.requests_max + 256;
    TT_TRY(impl->http,
           net::HttpServer::listen(loop, impl->options.listen, std::move(http),
                                   [raw = impl.get()](net::HttpRequest request,
                                                      std::shared_ptr<net::HttpExchange> exchange) {
                                       raw->handle(std::move(request), std::move(exchange));
                                   }));
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

uint16_t Server::port() const {
    return impl_->http->port();
}

void Server::stop(Duration deadline, std::function<void()> done) {
    impl_->http->stop(deadline, std::move(done));
}

}  // namespace teetee::proxy
