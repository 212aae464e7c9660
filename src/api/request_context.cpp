// SPDX-License-Identifier: Apache-2.0
#include "api/request_context.hpp"

#include <algorithm>

#include "base/bytes.hpp"

namespace teetee::api {
namespace {

constexpr size_t asked_headers_bytes_max = 1024;

/// Adds headers to an answer, where it has none of the name.
class HeaderExchange final : public net::HttpExchange {
  public:
    HeaderExchange(std::shared_ptr<net::HttpExchange> inner, net::HttpHeaders headers)
        : inner_(std::move(inner)), headers_(std::move(headers)) {}

    void respond(net::HttpResponse response) override {
        const auto varies = response.headers.find("vary");
        const auto by_origin = headers_.find("vary");
        if (varies != response.headers.end() && by_origin != headers_.end())
            varies->second += ", " + by_origin->second;
        response.headers.insert(headers_.begin(), headers_.end());
        inner_->respond(std::move(response));
    }
    void begin_stream(int status, std::string_view content_type,
                      const net::HttpHeaders& headers) override {
        net::HttpHeaders with = headers;
        with.insert(headers_.begin(), headers_.end());
        inner_->begin_stream(status, content_type, with);
    }
    void write(std::string_view chunk) override { inner_->write(chunk); }
    void finish() override { inner_->finish(); }
    void on_disconnect(std::function<void()> callback) override {
        inner_->on_disconnect(std::move(callback));
    }
    size_t pending_bytes() const override { return inner_->pending_bytes(); }

  private:
    std::shared_ptr<net::HttpExchange> inner_;
    net::HttpHeaders headers_;
};

/// Names of headers and commas (RFC 9110 section 5.6.2), so that nothing else is said again.
bool is_list_of_names(std::string_view text) {
    return text.size() <= asked_headers_bytes_max && std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == ',' || c == ' ';
           });
}

}  // namespace

RequestContext RequestContext::begin(const net::HttpRequest& request, Rng& rng,
                                     const std::vector<std::string>& origins) {
    RequestContext context;
    ByteArray<16> random;
    rng.fill(random);
    context.id_ = "req_" + to_hex(random);
    context.headers_["x-request-id"] = context.id_;
    // Answers are for whoever asked, and soon out of date.
    context.headers_["cache-control"] = "no-store";
    const auto origin = request.headers.find("origin");
    if (origin == request.headers.end()) return context;
    const bool is_any = std::ranges::find(origins, "*") != origins.end();
    const bool may_ask = is_any || std::ranges::find(origins, origin->second) != origins.end();
    if (!is_any) context.headers_["vary"] = "Origin";
    if (!may_ask) return context;
    context.headers_["access-control-allow-origin"] = is_any ? "*" : origin->second;
    context.headers_["access-control-expose-headers"] = "x-request-id, retry-after, server-timing";
    context.headers_["timing-allow-origin"] = is_any ? "*" : origin->second;
    return context;
}

std::shared_ptr<net::HttpExchange> RequestContext::wrap(
    std::shared_ptr<net::HttpExchange> exchange) const {
    return std::make_shared<HeaderExchange>(std::move(exchange), headers_);
}

void RequestContext::respond_preflight(const net::HttpRequest& request,
                                       net::HttpExchange& exchange) const {
    net::HttpResponse response;
    response.status = 204;
    response.headers["allow"] = "GET, HEAD, POST, OPTIONS";
    if (headers_.contains("access-control-allow-origin")) {
        response.headers["access-control-allow-methods"] = "GET, HEAD, POST, OPTIONS";
        const auto asked = request.headers.find("access-control-request-headers");
        if (asked != request.headers.end() && is_list_of_names(asked->second))
            response.headers["access-control-allow-headers"] = asked->second;
        response.headers["access-control-max-age"] = "86400";
    }
    exchange.respond(std::move(response));
}

}  // namespace teetee::api
