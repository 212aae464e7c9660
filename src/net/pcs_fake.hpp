// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "attest/pcs_fakes.hpp"
#include "attest/tcb_info.hpp"
#include "net/http_server.hpp"
#include "net/test_support.hpp"

// For tests of this module: a PCCS with the collateral of one platform; no product code includes
// it.
namespace teetee::net {

class FakePcs {
  public:
    /// Where a target begins, what is done with a question there.
    using Handler =
        std::function<void(const HttpRequest&, const std::shared_ptr<HttpExchange>&, HttpResponse)>;

    explicit FakePcs(const attest::Collateral& collateral, const HttpServerOptions& options = {})
        : tls_(options.tls.has_value()) {
        publish(collateral);
        thread_.call([&] {
            server_ = HttpServer::listen(
                          thread_.loop(), {"127.0.0.1", 0}, options,
                          [this](const HttpRequest& request,
                                 const std::shared_ptr<HttpExchange>& e) { serve(request, e); })
                          .value();
        });
    }
    ~FakePcs() {
        thread_.call([this] {
            held_.clear();
            server_.reset();
        });
    }
    FakePcs(const FakePcs&) = delete;
    FakePcs& operator=(const FakePcs&) = delete;

    std::string url() const {
        return (tls_ ? "https://localhost:" : "http://127.0.0.1:") +
               std::to_string(server_->port());
    }

    void publish(const attest::Collateral& collateral) {
        thread_.call([&] {
            answers_ = attest::test::pcs_answers(collateral);
            fmspc_ = to_hex(attest::parse_tcb_info(collateral.tcb_info.body).value().fmspc);
        });
    }

    /// The next questions at targets that begin so are dealt with in this order, then as usual.
    void next(const std::string& target, Handler handler) {
        thread_.call([&] { next_[target].push_back(std::move(handler)); });
    }
    void next_status(const std::string& target, int status, HttpHeaders headers = {}) {
        next(target, [status, headers](const auto&, const auto& exchange, HttpResponse response) {
            response.status = status;
            response.body = "{}";
            response.headers = headers;
            exchange->respond(response);
        });
    }
    void next_change(const std::string& target, std::function<void(HttpResponse&)> change) {
        next(target, [change = std::move(change)](const auto&, const auto& exchange,
                                                  HttpResponse response) {
            change(response);
            exchange->respond(response);
        });
    }
    void next_never(const std::string& target) {
        next(target, [this](const auto&, const auto& exchange, const HttpResponse&) {
            held_.push_back(exchange);
        });
    }

    std::vector<std::string> asked() {
        std::vector<std::string> out;
        thread_.call([&] { out = asked_; });
        return out;
    }
    size_t asked_count() { return asked().size(); }

  private:
    void serve(const HttpRequest& request, const std::shared_ptr<HttpExchange>& exchange) {
        asked_.push_back(request.target);
        HttpResponse response = usual(request);
        for (auto& [target, handlers] : next_) {
            if (!request.target.starts_with(target) || handlers.empty()) continue;
            const Handler handler = std::move(handlers.front());
            handlers.pop_front();
            return handler(request, exchange, std::move(response));
        }
        exchange->respond(response);
    }

    HttpResponse usual(const HttpRequest& request) const {
        const attest::PcsAnswer* answer = nullptr;
        if (request.path == "/tdx/certification/v4/tcb") {
            if (request.query.starts_with("fmspc=" + fmspc_)) answer = &answers_.tcb_info;
        } else if (request.path == "/tdx/certification/v4/qe/identity") {
            answer = &answers_.qe_identity;
        } else if (request.target == attest::pcs_pck_crl_target(attest::PckCa::platform)) {
            answer = &answers_.pck_crl;
        } else if (request.target == attest::pccs_root_crl_target) {
            answer = &answers_.root_crl;
        }
        HttpResponse response;
        response.status = answer == nullptr ? 404 : 200;
        if (answer != nullptr) {
            response.headers = answer->headers;
            response.body = answer->body;
        }
        return response;
    }

    bool tls_;
    attest::PcsAnswers answers_;
    std::string fmspc_;
    std::map<std::string, std::deque<Handler>> next_;
    std::vector<std::string> asked_;
    std::vector<std::shared_ptr<HttpExchange>> held_;
    std::unique_ptr<HttpServer> server_;
    /// Last, so that it stops before what its calls use is gone.
    LoopThread thread_;
};

}  // namespace teetee::net
