// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/api_keys.hpp"
#include "api/chain_views.hpp"
#include "api/fresh_quotes.hpp"
#include "api/http_meter.hpp"
#include "api/kept_answer.hpp"
#include "api/network_views.hpp"
#include "api/page_files.hpp"
#include "api/paid_answer.hpp"
#include "api/pool_lists.hpp"
#include "api/prompt.hpp"
#include "api/receipt_store.hpp"
#include "api/request_context.hpp"
#include "api/request_trace.hpp"
#include "api/sealed_requests.hpp"
#include "base/world.hpp"
#include "net/http_server.hpp"
#include "node/money_report.hpp"
#include "node/node.hpp"

namespace teetee::api {

/// The entry's HTTP interface: the paths of table(), described in docs/api.md and in the OpenAPI
/// document that is served. Errors come in OpenAI's shape. Each path also takes sealed requests, by
/// POST.
class Routes {
  public:
    struct World {
        node::Node& node;
        const Clock& clock;
        Rng& rng;
        /// Null: answers are free.
        const Billing* billing = nullptr;
        /// Of web pages that may ask ("https://app.example"); "*": of any.
        std::vector<std::string> cors_origins{"*"};
        /// Null: everybody is let in.
        net::ApiKeyFile* api_keys = nullptr;
        /// For a line for each request; null: none.
        StructuredLog* access_log = nullptr;
        /// For the metrics; empty: on no chain.
        std::function<node::MoneyReport()> money{};
        /// To everybody who can reach the API.
        bool serves_metrics = true;
        /// Null: on no chain.
        const ChainWindow* chain = nullptr;
        /// Null: no page.
        const PageFiles* page = nullptr;
        /// Null: nowhere.
        const attest::CollateralDocuments* collateral = nullptr;
    };
    /// A request, and what stands in its path where the pattern has braces.
    struct Asked {
        const net::HttpRequest& request;
        std::string_view parameter;
        std::shared_ptr<RequestTrace> trace;
    };
    /// What is needed where the entry asks for API keys. A payment in the place of a key is the
    /// handler's to judge: it counts when the till has taken it.
    enum class Access { open, with_key, with_key_or_payment };
    struct Route {
        std::string_view method;
        std::string_view path;
        void (Routes::*handle)(const Asked&, std::shared_ptr<net::HttpExchange>);
        Access access = Access::open;
    };
    static const std::vector<Route>& table();

    explicit Routes(const World& world);

    /// The entry's chat template, parsed at the first call. Errors of model::ChatTemplate::build: a
    /// model whose template cannot be read serves everything but chat.
    const Chat& chat();

    void handle(net::HttpRequest request, std::shared_ptr<net::HttpExchange> exchange);

    const HttpMeter& meter() const { return *meter_; }

  private:
    static bool takes_post(std::string_view path);
    bool is_for_page(const net::HttpRequest& request) const;
    /// A request in the clear, or what was inside a sealed one.
    void dispatch(const net::HttpRequest& request, std::shared_ptr<net::HttpExchange> exchange,
                  std::shared_ptr<RequestTrace> trace);
    enum class Form { plain, sealed };
    std::shared_ptr<RequestTrace> trace(const RequestContext& context,
                                        const net::HttpRequest& request, Form form);

    void generate(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void tokenize(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void detokenize(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void apply_template(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    Result<std::optional<billing::Payment>> payment_for(const net::HttpRequest& request);
    void make_key(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void revoke_key(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void payment(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void vouchers(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void models(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void model(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void props(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void entries(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void policy(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void manifest(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void collateral(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void network(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void pools(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void receipt(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void anchor(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void attestation(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void health(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void ready(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void metrics(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);
    void openapi(const Asked& asked, std::shared_ptr<net::HttpExchange> exchange);

    World world_;
    std::shared_ptr<HttpMeter> meter_ = std::make_shared<HttpMeter>();
    ReceiptStore receipts_;
    SealedRequests sealed_requests_;
    FreshQuotes fresh_quotes_;
    ApiKeys keys_;
    std::optional<Chat> chat_;
    KeptAnswer network_;
    KeptAnswer network_without_history_;
    KeptAnswer collateral_;
    PoolLists pools_;
    /// Which never change; null before they are asked for.
    SharedText policy_;
    SharedText manifest_;
    SharedText openapi_;
};

}  // namespace teetee::api
