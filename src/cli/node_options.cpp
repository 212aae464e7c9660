// SPDX-License-Identifier: Apache-2.0
#include "cli/node_options.hpp"

#include <algorithm>
#include <thread>

#include "cli/progress.hpp"

namespace teetee::cli {
namespace {

/// HOST:PORT, or a port of this machine alone; nullopt for "".
Result<std::optional<net::Address>> operator_address(const std::string& option,
                                                     const std::string& text) {
    if (text.empty()) return std::optional<net::Address>();
    const bool is_port = text.find_first_not_of("0123456789") == std::string::npos;
    auto address = net::parse_address(is_port ? "127.0.0.1:" + text : text);
    if (!address) return in_context(option, std::move(address).error());
    return std::optional(std::move(*address));
}

}  // namespace

Result<node::NodeOptions> NodeCommandOptions::node_options() const {
    node::NodeOptions out = node;
    out.shard.progress = progress_bar("verifying " + node.shard.path);
    TT_TRY(out.listen, net::parse_address(listen));
    for (const std::string& url : next) {
        TT_CHECK(net::parse_address(url));
        out.registry.push_back({.url = url});
    }
    if (!node.url.empty()) TT_CHECK(net::parse_address(node.url));
    TT_CHECK(metrics_address());
    TT_CHECK(status_address());
    for (const std::string& url : {node.api_url, node.api_tls_url}) {
        if (!url.empty()) TT_CHECK(net::parse_url(url));
    }
    for (const std::string& url : web_rpc_urls) {
        if (auto parsed = net::parse_url(url); !parsed)
            return in_context("--web-rpc", std::move(parsed).error());
    }
    out.reroute_timeout = std::chrono::seconds(reroute_s);
    out.request_time_max = std::chrono::seconds(request_s_max);
    if (out.shard.threads == 0)
        out.shard.threads = std::max(1u, std::thread::hardware_concurrency());
    out.recheck_interval = std::chrono::seconds(recheck_s);
    TT_TRY(out.shard.kv_budget.bytes, kv.bytes());
    if (!draft_kv_memory.empty()) {
        auto bytes = model::parse_byte_count(draft_kv_memory);
        if (!bytes) return in_context("--draft-kv-memory", std::move(bytes).error());
        out.draft_model.kv_budget.bytes = *bytes;
    }
    TT_TRY(out.activations, activations.format());
    auto replay_bytes = model::parse_byte_count(replay_memory);
    if (!replay_bytes) return in_context("--replay-memory", std::move(replay_bytes).error());
    out.replay_bytes_max = *replay_bytes;
    TT_TRY(out.shard.kv_type, kv.kv_type());
    TT_TRY(out.policy, node::PolicyFile::load(policy_path));
    return out;
}

Result<std::optional<net::Address>> NodeCommandOptions::metrics_address() const {
    return operator_address("--metrics", metrics);
}
Result<std::optional<net::Address>> NodeCommandOptions::status_address() const {
    return operator_address("--status", status);
}

void NodeCommandOptions::add_to(CLI::App& command) {
    command.add_option("--shard", node.shard.path, "Shard file")
        ->required()
        ->envname("TEETEE_SHARD");
    command.add_option("--manifest", node.shard.manifest_path, "The model's manifest.json")
        ->required()
        ->envname("TEETEE_MANIFEST");
    command.add_option("--policy", policy_path, "Which evidence of other nodes is accepted")
        ->required()
        ->envname("TEETEE_POLICY");
    tee.add_to(command);
    collateral.add_folder_to(command);
    collateral.add_services_to(command);
    command
        .add_option("--collateral-seconds", collateral.poll_s,
                    "How often the folder of collateral is looked at")
        ->capture_default_str()
        ->check(CLI::Range(1, 86400));
    command.add_option("--listen", listen, "Where other nodes link to")
        ->capture_default_str()
        ->envname("TEETEE_LISTEN");
    command
        .add_option("--next", next,
                    "URL of another node, tls://HOST:PORT, to begin with: any that is not of "
                    "this shard; may be repeated. The others are found by gossip")
        ->delimiter(',')
        ->envname("TEETEE_NEXT_URL");
    command
        .add_option("--registry", registry_path,
                    "JSON list of nodes, {\"url\", \"node_id\"?, \"layers\"?}, besides those of "
                    "--next; read anew when it changes")
        ->envname("TEETEE_REGISTRY");
    command.add_option("--api", api, "Entry: where the HTTP API listens")
        ->capture_default_str()
        ->envname("TEETEE_API");
    command
        .add_option("--api-tls", api_tls,
                    "Entry: where the API listens with the attested certificate")
        ->envname("TEETEE_API_TLS");
    command
        .add_option("--metrics", metrics,
                    "Where /metrics (Prometheus), /health and /ready are served, over plain HTTP: "
                    "HOST:PORT, or a port of this machine alone. An entry's API has them too")
        ->envname("TEETEE_METRICS");
    command
        .add_option("--status", status,
                    "Where this node says over plain HTTP how it is, to anybody: /health, /ready "
                    "and, for its host, /registration; HOST:PORT, or a port of this machine alone")
        ->envname("TEETEE_STATUS");
    command
        .add_option("--kernel", node.shard.kernel,
                    "scalar, avx2, avx512, amx or auto (the best here)")
        ->capture_default_str()
        ->envname("TEETEE_KERNEL");
    command.add_option("--threads", node.shard.threads, "Compute threads; 0 takes every core")
        ->capture_default_str()
        ->check(CLI::Range(0, 256))
        ->envname("TEETEE_THREADS");
    kv.add_to(command);
    command
        .add_option("--kv-positions", node.shard.kv_budget.positions,
                    "Instead of --kv-memory: positions of all requests together")
        ->excludes(command.get_option("--kv-memory"))
        ->envname("TEETEE_KV_POSITIONS");
    command
        .add_option("--requests-queued-max", node.requests_queued_max,
                    "Entry: requests that may wait; of one client half as many")
        // So that one application may come with some 250 at once.
        ->default_val(512)
        ->check(CLI::Range(1, 1 << 20));
    command
        .add_option("--request-seconds-max", request_s_max,
                    "Entry: how long any request may take, its wait included; 0: no limit")
        ->capture_default_str()
        ->check(CLI::Range(0, 86400));
    command
        .add_option("--statement-seconds", node.statement_lifetime_s,
                    "How long this node's statement is valid; it is renewed at half of that")
        ->capture_default_str()
        ->check(CLI::Range(4, 604800));
    command
        .add_option("--recheck-seconds", recheck_s,
                    "How often the evidence of linked nodes is judged anew")
        ->capture_default_str()
        ->check(CLI::Range(1, 3600));
    command
        .add_option("--reroute-seconds", reroute_s,
                    "Entry: how long an answer whose route was lost waits for another one")
        ->capture_default_str()
        ->check(CLI::Range(0, 3600));
    activations.add_to(command);
    command
        .add_option("--replay-memory", replay_memory,
                    "Memory for rows sent on, so that a node in the next one's place can have "
                    "them again; 0: what it lacks is computed again")
        ->capture_default_str();
    command
        .add_option("--drain-seconds", drain_s,
                    "On a first signal: how long to end answers under way, while others are told "
                    "to send no more; 0 stops at once")
        ->capture_default_str()
        ->check(CLI::Range(0, 3600));
    command
        .add_option("--drafts-max", node.drafts_max,
                    "Entry: tokens guessed ahead at most, from what the text says already, and "
                    "verified in one pass; 0 turns it off. Answers are the same")
        ->capture_default_str()
        ->check(CLI::Range(0, 64));
    command
        .add_option("--draft-model", node.draft_model.path,
                    "Entry: GGUF file of a small model with the same vocabulary, which guesses "
                    "tokens where the text does not tell them. Answers are the same")
        ->envname("TEETEE_DRAFT_MODEL");
    command
        .add_option("--draft-kv-memory", draft_kv_memory,
                    "Entry: memory for the draft model's keys and values, beside --kv-memory; the "
                    "same default")
        ->envname("TEETEE_DRAFT_KV_MEMORY");
    command
        .add_option("--draft-threads", node.draft_model.threads,
                    "Entry: compute threads of the draft model")
        ->capture_default_str()
        ->check(CLI::Range(1, 256));
    command
        .add_option("--advertise", node.url,
                    "URL that other nodes dial, tls://HOST:PORT; default: what is listened on")
        ->envname("TEETEE_ADVERTISE");
    command
        .add_option("--api-url", node.api_url,
                    "Entry: URL of --api as clients reach it, http:// or https://; others list it "
                    "in /v1/entries")
        ->envname("TEETEE_API_URL");
    command
        .add_option("--api-tls-url", node.api_tls_url,
                    "Entry: likewise of --api-tls, https://HOST:PORT")
        ->envname("TEETEE_API_TLS_URL");
    command
        .add_option("--api-keys", api_key_file,
                    "Entry: a file of API keys (teetee api-key): who has none, and pays nothing, "
                    "is refused")
        ->envname("TEETEE_API_KEYS");
    command
        .add_option("--cors-origin", cors_origins,
                    "Entry: whose web pages may ask, https://HOST; '*' is everybody's, 'none' "
                    "nobody's. May be repeated")
        ->delimiter(',')
        ->capture_default_str();
    command.add_flag("--no-api-metrics", no_api_metrics,
                     "Entry: /metrics is not served on the API, where everybody may read it, but "
                     "by --metrics alone");
    command
        .add_option("--web", web_folder,
                    "Entry: folder of the web app (web/dist, made by make web), which is served on "
                    "the API under /; default: the one that came with the program; none: no page")
        ->envname("TEETEE_WEB");
    command
        .add_option("--web-rpc", web_rpc_urls,
                    "Entry: URL of an Ethereum node that pages are told to read the chain from; "
                    "everybody who opens one sees it, so none with a key in it. May be repeated")
        ->delimiter(',')
        ->envname("TEETEE_WEB_RPC");
    chain.add_to(command);
    weights_cache.add_to(command);
    command.add_option("--name", name, "Name in the log");
}

}  // namespace teetee::cli
