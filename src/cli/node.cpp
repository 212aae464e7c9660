// SPDX-License-Identifier: Apache-2.0
#include "node/node.hpp"

#include <algorithm>
#include <signal.h>
#include <thread>
#include <utility>

#include "api/routes.hpp"
#include "cli/activations_option.hpp"
#include "cli/collateral_option.hpp"
#include "cli/kv_options.hpp"
#include "cli/log.hpp"
#include "cli/node_chain.hpp"
#include "cli/progress.hpp"
#include "cli/tee_option.hpp"
#include "cli/weights_cache.hpp"
#include "node/registry_file.hpp"

namespace teetee::cli {
namespace {

struct ServeOptions {
    node::NodeOptions node;
    std::string policy_path;
    std::string listen = "127.0.0.1:5010";
    std::vector<std::string> next;
    std::string registry_path;
    std::string api = "127.0.0.1:5002";
    std::string api_tls;
    std::vector<std::string> cors_origins{"*"};
    std::string api_key_file;
    TeeOption tee;
    CollateralOption collateral;
    KvOptions kv;
    std::string name;
    WeightsCacheOption weights_cache;
    int64_t recheck_s = 30;
    int64_t reroute_s = 10;
    int64_t request_s_max = 0;
    int64_t drain_s = 30;
    std::string replay_memory = "64MiB";
    std::string draft_kv_memory;
    ActivationsOption activations;
    NodeChainOption chain;
};

struct ApiServers {
    std::unique_ptr<net::HttpServer> plain;
    std::unique_ptr<net::HttpServer> tls;
};

Result<ApiServers> serve_api(net::Loop& loop, node::Node& node, api::Routes& routes,
                             const ServeOptions& options, Log& log) {
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

/// As browsers write them into Host: without a port that is the scheme's own.
Result<std::vector<std::string>> api_names(const ServeOptions& options) {
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
    const ServeOptions& options, const attest::TrustedRoots& roots,
    const net::CollateralCache::World& world) {
    CollateralOption option = options.collateral;
    option.complete(options.policy_path);
    TT_TRY(auto cache_options, option.cache_options(roots));
    auto cache = std::make_unique<net::CollateralCache>(world, std::move(cache_options));
    cache->tend();
    return cache;
}

/// All but what is opened for the node.
Result<node::NodeOptions> node_options_of(const ServeOptions& options) {
    node::NodeOptions node_options = options.node;
    node_options.shard.progress = progress_bar("verifying " + options.node.shard.path);
    TT_TRY(node_options.listen, net::parse_address(options.listen));
    for (const std::string& url : options.next) {
        TT_CHECK(net::parse_address(url));
        node_options.registry.push_back({.url = url});
    }
    if (!options.node.url.empty()) TT_CHECK(net::parse_address(options.node.url));
    for (const std::string& url : {options.node.api_url, options.node.api_tls_url}) {
        if (!url.empty()) TT_CHECK(net::parse_url(url));
    }
    node_options.reroute_timeout = std::chrono::seconds(options.reroute_s);
    node_options.request_time_max = std::chrono::seconds(options.request_s_max);
    if (node_options.shard.threads == 0)
        node_options.shard.threads = std::max(1u, std::thread::hardware_concurrency());
    node_options.recheck_interval = std::chrono::seconds(options.recheck_s);
    TT_TRY(node_options.shard.kv_budget.bytes, options.kv.bytes());
    if (!options.draft_kv_memory.empty()) {
        auto bytes = model::parse_byte_count(options.draft_kv_memory);
        if (!bytes) return in_context("--draft-kv-memory", std::move(bytes).error());
        node_options.draft_model.kv_budget.bytes = *bytes;
    }
    TT_TRY(node_options.activations, options.activations.format());
    auto replay_bytes = model::parse_byte_count(options.replay_memory);
    if (!replay_bytes) return in_context("--replay-memory", std::move(replay_bytes).error());
    node_options.replay_bytes_max = *replay_bytes;
    TT_TRY(node_options.shard.kv_type, options.kv.kv_type());
    TT_TRY(node_options.policy, node::PolicyFile::load(options.policy_path));
    return node_options;
}

Result<void> serve(const ServeOptions& options, Session&) {
    StderrLog log(options.name.empty() ? "node" : options.name);
    const SystemClock clock;
    SystemRng rng;
    TT_TRY(const auto tee, options.tee.open(log, clock.unix_now()));

    TT_TRY(node::NodeOptions node_options, node_options_of(options));
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
    api::Routes routes({*node, clock, rng, log, chain ? chain->billing() : nullptr,
                        options.cors_origins, options.api_key_file});
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
    auto options = std::make_shared<ServeOptions>();
    CLI::App* command =
        add_command(app, session, "node", "Serve one shard as a node of a route", options, serve);
    command->add_option("--shard", options->node.shard.path, "Shard file")
        ->required()
        ->envname("TEETEE_SHARD");
    command
        ->add_option("--manifest", options->node.shard.manifest_path, "The model's manifest.json")
        ->required()
        ->envname("TEETEE_MANIFEST");
    command
        ->add_option("--policy", options->policy_path, "Which evidence of other nodes is accepted")
        ->required()
        ->envname("TEETEE_POLICY");
    options->tee.add_to(*command);
    options->collateral.add_folder_to(*command);
    options->collateral.add_services_to(*command);
    command
        ->add_option("--collateral-seconds", options->collateral.poll_s,
                     "How often the folder of collateral is looked at")
        ->capture_default_str()
        ->check(CLI::Range(1, 86400));
    command->add_option("--listen", options->listen, "Where other nodes link to")
        ->capture_default_str()
        ->envname("TEETEE_LISTEN");
    command
        ->add_option("--next", options->next,
                     "URL of another node, tls://HOST:PORT, to begin with: any that is not of "
                     "this shard; may be repeated. The others are found by gossip")
        ->delimiter(',')
        ->envname("TEETEE_NEXT_URL");
    command
        ->add_option("--registry", options->registry_path,
                     "JSON list of nodes, {\"url\", \"node_id\"?, \"layers\"?}, besides those of "
                     "--next; read anew when it changes")
        ->envname("TEETEE_REGISTRY");
    command->add_option("--api", options->api, "Entry: where the HTTP API listens")
        ->capture_default_str()
        ->envname("TEETEE_API");
    command
        ->add_option("--api-tls", options->api_tls,
                     "Entry: where the API listens with the attested certificate")
        ->envname("TEETEE_API_TLS");
    command
        ->add_option("--kernel", options->node.shard.kernel,
                     "scalar, avx2, avx512, amx or auto (the best here)")
        ->capture_default_str()
        ->envname("TEETEE_KERNEL");
    command
        ->add_option("--threads", options->node.shard.threads,
                     "Compute threads; 0 takes every core")
        ->capture_default_str()
        ->check(CLI::Range(0, 256))
        ->envname("TEETEE_THREADS");
    options->kv.add_to(*command);
    command
        ->add_option("--kv-positions", options->node.shard.kv_budget.positions,
                     "Instead of --kv-memory: positions of all requests together")
        ->envname("TEETEE_KV_POSITIONS");
    command
        ->add_option("--requests-queued-max", options->node.requests_queued_max,
                     "Entry: requests that may wait")
        ->capture_default_str()
        ->check(CLI::Range(1, 1 << 20));
    command
        ->add_option("--request-seconds-max", options->request_s_max,
                     "Entry: how long any request may take, its wait included; 0: no limit")
        ->capture_default_str()
        ->check(CLI::Range(0, 86400));
    command
        ->add_option("--statement-seconds", options->node.statement_lifetime_s,
                     "How long this node's statement is valid; it is renewed at half of that")
        ->capture_default_str()
        ->check(CLI::Range(4, 604800));
    command
        ->add_option("--recheck-seconds", options->recheck_s,
                     "How often the evidence of linked nodes is judged anew")
        ->capture_default_str()
        ->check(CLI::Range(1, 3600));
    command
        ->add_option("--reroute-seconds", options->reroute_s,
                     "Entry: how long an answer whose route was lost waits for another one")
        ->capture_default_str()
        ->check(CLI::Range(0, 3600));
    options->activations.add_to(*command);
    command
        ->add_option("--replay-memory", options->replay_memory,
                     "Memory for rows sent on, so that a node in the next one's place can have "
                     "them again; 0: what it lacks is computed again")
        ->capture_default_str();
    command
        ->add_option("--drain-seconds", options->drain_s,
                     "On a first signal: how long to end answers under way, while others are told "
                     "to send no more; 0 stops at once")
        ->capture_default_str()
        ->check(CLI::Range(0, 3600));
    command
        ->add_option("--drafts-max", options->node.drafts_max,
                     "Entry: tokens guessed ahead at most, from what the text says already, and "
                     "verified in one pass; 0 turns it off. Answers are the same")
        ->capture_default_str()
        ->check(CLI::Range(0, 64));
    command
        ->add_option("--draft-model", options->node.draft_model.path,
                     "Entry: GGUF file of a small model with the same vocabulary, which guesses "
                     "tokens where the text does not tell them. Answers are the same")
        ->envname("TEETEE_DRAFT_MODEL");
    command
        ->add_option("--draft-kv-memory", options->draft_kv_memory,
                     "Entry: memory for the draft model's keys and values, beside --kv-memory; the "
                     "same default")
        ->envname("TEETEE_DRAFT_KV_MEMORY");
    command
        ->add_option("--draft-threads", options->node.draft_model.threads,
                     "Entry: compute threads of the draft model")
        ->capture_default_str()
        ->check(CLI::Range(1, 256));
    command
        ->add_option("--advertise", options->node.url,
                     "URL that other nodes dial, tls://HOST:PORT; default: what is listened on")
        ->envname("TEETEE_ADVERTISE");
    command
        ->add_option("--api-url", options->node.api_url,
                     "Entry: URL of --api as clients reach it, http:// or https://; others list it "
                     "in /v1/entries")
        ->envname("TEETEE_API_URL");
    command
        ->add_option("--api-tls-url", options->node.api_tls_url,
                     "Entry: likewise of --api-tls, https://HOST:PORT")
        ->envname("TEETEE_API_TLS_URL");
    command
        ->add_option("--api-keys", options->api_key_file,
                     "Entry: a file of API keys (teetee api-key): who has none, and pays nothing, "
                     "is refused")
        ->envname("TEETEE_API_KEYS");
    command
        ->add_option("--cors-origin", options->cors_origins,
                     "Entry: whose web pages may ask, https://HOST; '*' is everybody's, 'none' "
                     "nobody's. May be repeated")
        ->delimiter(',')
        ->capture_default_str();
    options->chain.add_to(*command);
    options->weights_cache.add_to(*command);
    command->add_option("--name", options->name, "Name in the log");
}

}  // namespace teetee::cli
