// SPDX-License-Identifier: Apache-2.0
#include "node/node.hpp"

#include <signal.h>
#include <utility>

#include <fmt/format.h>

#include "api/operator_routes.hpp"
#include "api/routes.hpp"
#include "cli/log.hpp"
#include "cli/node_options.hpp"
#include "cli/page_folder.hpp"
#include "node/registry_file.hpp"

namespace teetee::cli {
namespace {

struct ApiServers {
    std::unique_ptr<net::HttpServer> plain;
    std::unique_ptr<net::HttpServer> tls;
};

Result<ApiServers> serve_api(net::Loop& loop, node::Node& node, api::Routes& routes,
                             const NodeCommandOptions& options, Log& log) {
    const auto handler = [&routes](net::HttpRequest request,
                                   std::shared_ptr<net::HttpExchange> exchange) {
        routes.handle(std::move(request), std::move(exchange));
    };
    ApiServers servers;
    TT_TRY(const auto address, net::parse_address(options.api));
    TT_TRY(servers.plain, net::HttpServer::listen(loop, address, {}, handler));
    log.info("API on http://" + net::to_string(address));
    if (!options.api_tls.empty()) {
        TT_TRY(const auto tls_address, net::parse_address(options.api_tls));
        net::HttpServerOptions tls_options;
        tls_options.tls = node.server_tls();
        TT_TRY(servers.tls, net::HttpServer::listen(loop, tls_address, tls_options, handler));
        log.info("attested API on https://" + net::to_string(tls_address));
    }
    return servers;
}

struct OperatorServers {
    std::unique_ptr<net::HttpServer> metrics;
    std::unique_ptr<net::HttpServer> status;
};

/// Null without an address.
Result<std::unique_ptr<net::HttpServer>> serve_operator(net::Loop& loop,
                                                        const std::optional<net::Address>& address,
                                                        api::OperatorRoutes routes) {
    if (!address) return std::unique_ptr<net::HttpServer>();
    // Few ask, and none of them for long.
    net::HttpServerOptions options;
    options.connections_max = 64;
    options.limits.body_bytes_max = 4096;
    return net::HttpServer::listen(
        loop, *address, options,
        [routes = std::move(routes)](const net::HttpRequest& request,
                                     const std::shared_ptr<net::HttpExchange>& exchange) {
            routes.handle(request, *exchange);
        });
}

/// Two addresses: what is measured is for whoever runs the node, how it stands is for anybody.
Result<OperatorServers> serve_operators(net::Loop& loop, const NodeCommandOptions& options,
                                        const api::MetricSources& sources, const NodeChain* chain,
                                        Log& log) {
    OperatorServers out;
    TT_TRY(const auto metrics, options.metrics_address());
    TT_TRY(const auto status, options.status_address());
    TT_TRY(out.metrics, serve_operator(loop, metrics, api::OperatorRoutes(sources.node, sources)));
    api::OperatorRoutes::Registration registration;
    if (chain != nullptr) registration = [chain] { return chain->registration_text(); };
    TT_TRY(out.status, serve_operator(loop, status,
                                      api::OperatorRoutes(sources.node, std::move(registration))));
    const auto say = [&](std::string_view what, const net::Address& at, uint16_t port) {
        log.info(fmt::format("{0} on http://{1}/{0}", what, net::to_string({at.host, port})));
    };
    if (metrics) say("metrics", *metrics, out.metrics->port());
    if (status) say("health", *status, out.status->port());
    return out;
}

/// As browsers write them into Host: without a port that is the scheme's own.
Result<std::vector<std::string>> api_names(const NodeCommandOptions& options) {
    std::vector<std::string> out;
    for (const std::string& url : {options.node.api_url, options.node.api_tls_url}) {
        if (url.empty()) continue;
        TT_TRY(const auto parsed, net::parse_url(url));
        const bool is_default = parsed.address.port == (parsed.tls ? 443 : 80);
        out.push_back(net::to_string(parsed.address));
        if (is_default) out.push_back(out.back().substr(0, out.back().rfind(':')));
    }
    for (const std::string& listen : {options.api, options.api_tls}) {
        if (listen.empty()) continue;
        TT_TRY(const auto address, net::parse_address(listen));
        out.push_back(net::to_string(address));
        out.push_back(net::to_string({"localhost", address.port}));
    }
    return out;
}

/// A first signal lets the node end what it has begun; a second one, or time, does not.
class StopInTurn {
  public:
    StopInTurn(net::Loop& loop, node::Node& node, Log& log, Duration wait)
        : loop_(loop), node_(node), log_(log), wait_(wait) {}

    void on_signal() {
        if (std::exchange(is_draining_, true) || wait_ == Duration{}) return stop();
        log_.info("draining: answers under way are ended first, for at most " +
                  std::to_string(std::chrono::duration_cast<std::chrono::seconds>(wait_).count()) +
                  " s; another signal stops at once");
        timer_ = loop_.call_after(wait_, [this] { stop(); });
        node_.drain([this] { stop(); });
    }

  private:
    void stop() {
        log_.info("stopping");
        loop_.stop();
    }

    net::Loop& loop_;
    node::Node& node_;
    Log& log_;
    Duration wait_;
    bool is_draining_ = false;
    net::Timer timer_;
};

/// With what lies in the folder already read.
Result<std::unique_ptr<net::CollateralCache>> open_collateral(
    const NodeCommandOptions& options, const attest::TrustedRoots& roots,
    const net::CollateralCache::World& world) {
    CollateralOption option = options.collateral;
    option.complete(options.policy_path);
    TT_TRY(auto cache_options, option.cache_options(roots));
    auto cache = std::make_unique<net::CollateralCache>(world, std::move(cache_options));
    cache->tend();
    return cache;
}

Result<void> serve(const NodeCommandOptions& options, Session& session) {
    StderrLog log(session.log, {.component = "node", .node = options.name});
    const SystemClock clock;
    SystemRng rng;
    TT_TRY(const auto tee, options.tee.open(log, clock.unix_now()));

    TT_TRY(node::NodeOptions node_options, options.node_options());
    auto weights_cache = options.weights_cache.open();
    node_options.shard.weights_cache = weights_cache ? &*weights_cache : nullptr;
    TT_TRY(const auto collateral,
           open_collateral(options, node_options.policy.policy.roots, {clock, rng, log}));
    node::RegistryFile file(options.registry_path);
    Registry* known = options.registry_path.empty() ? nullptr : &file;
    net::Loop loop;
    std::unique_ptr<NodeChain> chain;
    if (options.chain.is_used()) {
        TT_TRY(chain, NodeChain::start({loop, clock, rng, log, *tee, known}, options.chain));
        chain->put_into(node_options);
        known = &chain->registry();
    }
    TT_TRY(const auto node,
           node::Node::start({loop, clock, rng, log, *tee, collateral.get(), known}, node_options));
    TT_TRY(const auto names, api_names(options));
    if (chain) TT_CHECK(chain->attach(*node, names));
    if (node_options.activations != ActivationFormat::f32 &&
        (!node->is_entry() || node->activations() != node_options.activations))
        log.warn("--activations: only an entry with stages behind it chooses the format");
    collateral->start();
    const LayerRange layers = node->layers();
    log.info("serving layers " + std::to_string(layers.begin) + " to " +
             std::to_string(layers.end - 1) + " of " + node->model_id() +
             ", every byte of the shard verified");
    std::optional<net::ApiKeyFile> api_keys;
    if (!options.api_key_file.empty()) {
        TT_TRY(auto opened, net::ApiKeyFile::open({clock, log}, options.api_key_file));
        api_keys.emplace(std::move(opened));
    }
    std::optional<api::PageFiles> page;
    const std::string web_folder = page_folder(options.web_folder, PagePlaces::installed);
    if (!web_folder.empty() && node->is_entry()) {
        TT_TRY(page, api::PageFiles::load(web_folder));
        log.info(fmt::format("web app: {} files of {}, {} kB", page->file_count(), web_folder,
                             page->bytes() / 1000));
    }
    std::optional<api::ChainWindow> window;
    if (chain) window = chain->window(options.web_rpc_urls);
    std::function<node::MoneyReport()> money;
    if (chain) money = [&chain] { return chain->report(); };
    api::Routes routes({*node, clock, rng, chain ? chain->billing() : nullptr, options.cors_origins,
                        api_keys ? &*api_keys : nullptr, &log, money, !options.no_api_metrics,
                        window ? &*window : nullptr, page ? &*page : nullptr, collateral.get()});
    const api::HttpMeter* meter = node->is_entry() ? &routes.meter() : nullptr;
    TT_TRY(const auto operators,
           serve_operators(loop, options, {*node, clock, meter, money}, chain.get(), log));
    ApiServers servers;
    if (node->is_entry()) {
        TT_TRY(servers, serve_api(loop, *node, routes, options, log));
        const bool has_template = !node->tokenizer().vocabulary().chat_template.empty();
        if (const auto& chat = routes.chat().chat_template; has_template && !chat)
            log.warn("chat completions are refused: " + chat.error().message());
    }
    // Without a quote for the next statement the node ends before its peers would refuse it;
    // whatever supervises it may have more luck with a new process.
    bool expired = false;
    node->on_statement_ending([&] {
        expired = true;
        loop.stop();
    });
    StopInTurn stop(loop, *node, log, std::chrono::seconds(options.drain_s));
    loop.on_signal([&](int) { stop.on_signal(); });
    loop.run();
    if (expired) {
        return fail(ErrorCode::evidence_unavailable,
                    "this node's statement ends soon and could not be renewed");
    }
    return {};
}

}  // namespace

void add_node(CLI::App& app, Session& session) {
    auto options = std::make_shared<NodeCommandOptions>();
    CLI::App* command =
        add_command(app, session, "node", "Serve one shard as a node of a route", options, serve);
    options->add_to(*command);
}

}  // namespace teetee::cli
