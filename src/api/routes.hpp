// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "api/fresh_quotes.hpp"
#include "api/paid_answer.hpp"
#include "api/receipt_store.hpp"
#include "api/sealed_requests.hpp"
#include "base/world.hpp"
#include "model/chat_template.hpp"
#include "net/http_server.hpp"
#include "node/node.hpp"

namespace teetee::api {

/// The entry's HTTP interface (docs/api.md):
///   POST /generate, /v1/completions, /v1/chat/completions
///   POST /v1/payment/raise, /v1/sign-in, /v1/sign-in/token
///   GET  /v1/payment, /v1/models, /v1/entries, /v1/receipts/ID, /health, /metrics, /attestation
/// Errors come in OpenAI's shape. Each route also takes sealed requests, by POST.
class Routes {
  public:
    struct World {
        node::Node& node;
        const Clock& clock;
        Rng& rng;
        /// Null: answers are free.
        const Billing* billing = nullptr;
    };
    explicit Routes(const World& world);

    /// The entry's chat template, parsed at the first call. Errors of model::ChatTemplate::build: a
    /// model whose template cannot be read serves everything but chat.
    const Result<model::ChatTemplate>& chat();

    void handle(net::HttpRequest request, std::shared_ptr<net::HttpExchange> exchange);

  private:
    /// A request in the clear, or what was inside a sealed one.
    void dispatch(const net::HttpRequest& request, std::shared_ptr<net::HttpExchange> exchange);
    void generate(const net::HttpRequest& request, std::shared_ptr<net::HttpExchange> exchange);
    void attestation(const net::HttpRequest& request, std::shared_ptr<net::HttpExchange> exchange);

    World world_;
    ReceiptStore receipts_;
    SealedRequests sealed_requests_;
    FreshQuotes fresh_quotes_;
    std::optional<Result<model::ChatTemplate>> chat_;
};

}  // namespace teetee::api
