// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <sys/wait.h>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/world.hpp"
#include "cli/activations_option.hpp"
#include "cli/child_process.hpp"
#include "cli/cut_option.hpp"
#include "cli/dev_chain.hpp"
#include "cli/dev_network.hpp"
#include "cli/kv_options.hpp"
#include "cli/log.hpp"
#include "cli/page_folder.hpp"
#include "net/address.hpp"
#include "net/http_client.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"

namespace teetee::cli {
namespace {

struct UpOptions {
    std::string model;
    CutOption cut;
    size_t replicas = 1;
    uint16_t port = 5002;
    std::string folder;
    size_t threads = 1;
    KvOptions kv;
    ActivationsOption activations;
    uint32_t drafts_max = 16;
    std::string draft_model;
    /// The first of as many as there are nodes; 0: none.
    uint16_t metrics_port = 0;
    bool no_chain = false;
    std::string anvil;
    /// The page's files; empty: those that were built with this program, if they were.
    std::string web_folder;
    bool prepare_only = false;
};

std::string on_loopback(uint16_t port) {
    return "127.0.0.1:" + std::to_string(port);
}

/// The ports of a network, from the first one on: for each entry the API and the API with the
/// attested certificate, then a link port for each node, then the chain's.
struct Ports {
    uint16_t first;
    size_t replicas = 1;
    size_t shards = 1;
    uint16_t api(size_t replica = 0) const { return static_cast<uint16_t>(first + 2 * replica); }
    uint16_t api_tls(size_t replica = 0) const { return static_cast<uint16_t>(api(replica) + 1); }
    std::string api_url(size_t replica) const { return "http://" + on_loopback(api(replica)); }
    std::string api_tls_url(size_t replica) const {
        return "https://" + on_loopback(api_tls(replica));
    }
    uint16_t link(size_t index) const {
        return static_cast<uint16_t>(first + std::max<size_t>(8, 2 * replicas) + index);
    }
    uint16_t chain() const { return link(replicas * shards); }
};

constexpr int early_deaths_max = 3;
constexpr Duration stop_time_max = std::chrono::seconds(5);

/// Starts the chain and the nodes, starts again the nodes that die, says when the network is ready.
class Supervisor {
  public:
    Supervisor(const UpOptions& options, const Session& session, const DevNetwork& network,
               Log& log)
        : options_(options),
          session_(session),
          ports_{options.port, options.replicas, network.shard_paths.size()},
          network_(network),
          log_(log),
          web_folder_(page_folder(options.web_folder, PagePlaces::built_or_installed)) {}
    ~Supervisor() {
        for (ChildProcess& node : nodes_) node.end();
    }

    Result<void> run() {
        loop_.on_signal([this](int) { stop(); });
        if (options_.no_chain) {
            TT_CHECK(start_nodes());
        } else {
            TT_TRY(chain_, DevChain::start(network_, chain_options(), clock_, log_));
        }
        keep_collateral();
        tick();
        loop_.run();
        return std::move(outcome_);
    }

  private:
    DevChain::Options chain_options() const {
        DevChain::Options out{.anvil = options_.anvil,
                              .port = ports_.chain(),
                              .network_port = options_.port,
                              .shards = ports_.shards,
                              .entry_urls = {}};
        for (size_t i = 0; i < options_.replicas; ++i) out.entry_urls.push_back(ports_.api_url(i));
        return out;
    }

    Result<void> start_nodes() {
        for (size_t i = 0; i < options_.replicas * ports_.shards; ++i) {
            ChildOptions node{.arguments = arguments(network_, i)};
            if (chain_) chain_->put_into(node, i);
            nodes_.emplace_back(std::move(node));
        }
        for (ChildProcess& node : nodes_) TT_CHECK(node.start());
        return {};
    }

    /// First one node of each shard, then another one of each.
    std::vector<std::string> arguments(const DevNetwork& network, size_t index) const {
        const size_t shards = network.shard_paths.size();
        const size_t shard = index % shards;
        const size_t replica = index / shards;
        std::vector<std::string> out = {program_path(),    "node",
                                        "--shard",         network.shard_paths[shard],
                                        "--manifest",      network.manifest_path(),
                                        "--policy",        network.policy_path(),
                                        "--dev-tee",       network.seed_path(),
                                        "--collateral",    network.collateral_folder(),
                                        "--listen",        on_loopback(ports_.link(index)),
                                        "--threads",       std::to_string(options_.threads),
                                        "--drain-seconds", "0",
                                        "--name",          fmt::format("node {}", index + 1)};
        for (const auto& more : {options_.kv.arguments(), session_.log.arguments()})
            out.insert(out.end(), more.begin(), more.end());
        if (options_.metrics_port != 0)
            out.insert(out.end(), {"--metrics", on_loopback(metrics_port(index))});
        // Whoever is alive tells of the others.
        for (size_t other = 0; shards > 1 && other < options_.replicas; ++other) {
            const size_t next = other * shards + (shard + 1) % shards;
            out.insert(out.end(), {"--next", "tls://" + on_loopback(ports_.link(next))});
        }
        if (shard == 0) {
            out.insert(
                out.end(),
                {"--api", on_loopback(ports_.api(replica)), "--api-tls",
                 on_loopback(ports_.api_tls(replica)), "--api-url", ports_.api_url(replica),
                 "--api-tls-url", ports_.api_tls_url(replica), "--drafts-max",
                 std::to_string(options_.drafts_max), "--activations", options_.activations.name});
            if (!web_folder_.empty()) out.insert(out.end(), {"--web", web_folder_});
            if (!options_.draft_model.empty())
                out.insert(out.end(), {"--draft-model", options_.draft_model});
        }
        return out;
    }

    uint16_t metrics_port(size_t index) const {
        return static_cast<uint16_t>(options_.metrics_port + index);
    }

    void tick() {
        if (stopping_) return tick_stopping();
        if (auto done = tend_chain(); !done) {
            outcome_ = std::move(done);
            return stop();
        }
        for (size_t i = 0; i < nodes_.size(); ++i) watch(i);
        if (!announced_ && !stopping_) announce();
        if (stopping_) return;
        timer_ =
            loop_.call_after(std::chrono::milliseconds(announced_ ? 500 : 100), [this] { tick(); });
    }

    /// Nodes want a pool before they start.
    Result<void> tend_chain() {
        if (!chain_) return {};
        TT_CHECK(chain_->tick());
        if (nodes_.empty() && chain_->has_pool()) return start_nodes();
        return {};
    }

    /// Nodes of a network that runs for months find new documents in time.
    void keep_collateral() {
        const auto kept = refresh_dev_collateral(network_, clock_.unix_now());
        if (!kept) log_.error("collateral: " + kept.error().message());
        collateral_timer_ = loop_.call_after(std::chrono::hours(1), [this] { keep_collateral(); });
    }

    void watch(size_t index) {
        int status = 0;
        if (nodes_[index].reap(status)) {
            // A node that gives up by itself before the network was ever whole has said why; one
            // that keeps crashing will not stop by being started again.
            if (!announced_ && (WIFEXITED(status) || ++early_deaths_ > early_deaths_max)) {
                outcome_ =
                    fail(ErrorCode::not_ready,
                         fmt::format("node {} did not start; its last line says why", index + 1));
                return stop();
            }
            log_.warn(fmt::format("node {} has died; starting it again", index + 1));
        }
        if (!nodes_[index].is_running() && !stopping_) {
            if (auto started = nodes_[index].start(); !started)
                log_.error(started.error().message());
        }
    }

    bool is_ready(size_t replica) const {
        net::HttpClientRequest request;
        request.url = ports_.api_url(replica) + "/health";
        request.connect_time_max = request.time_max = std::chrono::seconds(1);
        const auto response = net::http_fetch(request);
        return response && response->status == 200;
    }

    /// Once every entry is ready.
    void announce() {
        if (nodes_.empty() || (chain_ && !chain_->is_open())) return;
        for (size_t i = 0; i < options_.replicas; ++i) {
            if (!is_ready(i)) return;
        }
        announced_ = true;
        if (session_.json) {
            boost::json::array entries;
            for (size_t i = 0; i < options_.replicas; ++i) {
                entries.push_back(
                    {{"api_url", ports_.api_url(i)}, {"api_tls_url", ports_.api_tls_url(i)}});
            }
            boost::json::object ready = {{"ready", true},
                                         {"port", options_.port},
                                         {"nodes", nodes_.size()},
                                         {"shards", network_.shard_paths.size()},
                                         {"entries", std::move(entries)},
                                         {"simulated", true}};
            if (web_folder_.empty())
                ready["page"] = nullptr;
            else
                ready["page"] = page_url();
            if (chain_) chain_->put_into(ready);
            print_json(ready);
            return;
        }
        std::string entries = fmt::format(
            "  page     {}\n\n",
            web_folder_.empty() ? "not built: 'make web' builds it, with npm" : page_url());
        for (size_t i = 0; i < options_.replicas; ++i) {
            entries += fmt::format("  entry {}  {}  attested: {}\n", i + 1, ports_.api_url(i),
                                   ports_.api_tls_url(i));
        }
        print_text(
            fmt::format("\nTeeTee is up: {} processes, {} shards, every hop attested. "
                        "SIMULATED TEEs: for development only.\n\n{}{}\n{}\nCtrl-C stops "
                        "it.\n\n",
                        nodes_.size(), network_.shard_paths.size(), entries,
                        chain_ ? chain_->to_text() : "", usage()));
    }

    /// Of this machine's browser, and by a name that is a secure context of its own.
    std::string page_url() const { return fmt::format("http://localhost:{}/", options_.port); }

    /// What to type next.
    std::string usage() const {
        const std::string program = program_path();
        const std::string port =
            options_.port == 5002 ? "" : fmt::format(" --port {}", options_.port);
        std::string out = fmt::format("  {} chat{}\n", program, port);
        constexpr std::string_view body = R"('{"prompt":"Once upon a time"}')";
        // A payment is for one body.
        out += chain_ ? fmt::format(
                            "  ASK={}\n  curl -s localhost:{}/generate -d \"$ASK\" -H "
                            "\"$({} voucher header{} -d \"$ASK\")\"\n",
                            body, options_.port, program, port)
                      : fmt::format("  curl -s localhost:{}/generate -d {}\n", options_.port, body);
        if (!chain_) return out;
        out += fmt::format(
            "\nThe payer's wallet, and those of the shards' hosts:\n\n"
            "  (. {}; {} voucher list)\n",
            chain_->wallet_path("payer"), program);
        for (size_t i = 0; i < ports_.shards; ++i) {
            out += fmt::format("  (. {}; {} earnings)\n",
                               chain_->wallet_path(fmt::format("host-{}", i + 1)), program);
        }
        return out;
    }

    void stop() {
        if (stopping_) return;
        stopping_ = true;
        stop_deadline_ = clock_.now() + stop_time_max;
        for (const ChildProcess& node : nodes_) node.stop();
        if (chain_) chain_->stop_commands();
        timer_ = loop_.call_after(std::chrono::milliseconds(20), [this] { tick(); });
    }

    /// The chain last: an entry may be sending something.
    void tick_stopping() {
        if (has_all_ended()) return loop_.stop();
        timer_ = loop_.call_after(std::chrono::milliseconds(20), [this] { tick(); });
    }

    bool has_all_ended() {
        const bool is_late = clock_.now() > stop_deadline_;
        if (is_stopping_chain_) {
            if (is_late) chain_->end();
            return chain_->has_ended();
        }
        bool is_quiet = !chain_ || chain_->is_quiet();
        int status = 0;
        for (ChildProcess& node : nodes_) {
            node.reap(status);
            is_quiet = is_quiet && !node.is_running();
        }
        if (!is_quiet && !is_late) return false;
        for (ChildProcess& node : nodes_) node.end();
        if (!chain_) return true;
        chain_->end_commands();
        chain_->stop();
        is_stopping_chain_ = true;
        stop_deadline_ = clock_.now() + stop_time_max;
        return false;
    }

    const UpOptions& options_;
    const Session& session_;
    Ports ports_;
    const DevNetwork& network_;
    Log& log_;
    std::string web_folder_;
    SystemClock clock_;
    net::Loop loop_;
    net::Timer timer_;
    net::Timer collateral_timer_;
    std::unique_ptr<DevChain> chain_;
    std::vector<ChildProcess> nodes_;
    bool announced_ = false;
    int early_deaths_ = 0;
    bool stopping_ = false;
    bool is_stopping_chain_ = false;
    Instant stop_deadline_{};
    Result<void> outcome_;
};

/// Before anything is written: a second network on the same ports would take the first one's files.
Result<void> ensure_ports_free(const UpOptions& options, size_t shard_count) {
    net::Loop loop;
    const Ports ports{options.port, options.replicas, shard_count};
    std::vector<uint16_t> wanted;
    if (!options.no_chain) wanted.push_back(ports.chain());
    for (size_t i = 0; i < options.replicas; ++i) {
        wanted.push_back(ports.api(i));
        wanted.push_back(ports.api_tls(i));
    }
    for (size_t i = 0; i < options.replicas * shard_count; ++i) {
        wanted.push_back(ports.link(i));
        if (options.metrics_port != 0)
            wanted.push_back(static_cast<uint16_t>(options.metrics_port + i));
    }
    for (const uint16_t port : wanted) {
        auto listening =
            net::Acceptor::listen(loop, {"127.0.0.1", port}, [](std::unique_ptr<net::Stream>) {});
        if (!listening) {
            Error error = std::move(listening).error();
            error.detail += "; is a network running already? --port chooses another";
            return error;
        }
    }
    return {};
}

/// The model that comes with TeeTee: beside the program's build folder, or installed.
std::string built_in_model() {
    const std::string program = program_path();
    const std::string root = program.substr(0, program.rfind('/')) + "/../..";
    return root + "/models/story/story-q8_0.gguf";
}

Result<void> up(const UpOptions& options, Session& session) {
    const std::string model = options.model.empty() ? built_in_model() : options.model;
    TT_TRY(const auto cut, options.cut.ranges(model));
    const size_t ports = 9 + options.replicas * (2 + cut.size());
    if (options.port < 1 || options.port + ports > 65535) {
        return fail(ErrorCode::config_invalid, "--port leaves no room for the ports behind it");
    }
    if (options.metrics_port + options.replicas * cut.size() > 65536) {
        return fail(ErrorCode::config_invalid,
                    "--metrics-port leaves no room for the ports behind it");
    }
    // Here rather than in the first node that starts.
    TT_CHECK(options.kv.bytes());
    TT_CHECK(options.kv.kv_type());
    TT_CHECK(options.activations.format());
    if (!options.prepare_only) TT_CHECK(ensure_ports_free(options, cut.size()));
    const std::string folder = std::filesystem::absolute(
        options.folder.empty() ? default_network_folder(options.port) : options.folder);
    TT_TRY(const auto network, prepare_dev_network(model, cut, folder));
    TT_CHECK(DevChain::forget(network));
    if (options.prepare_only) {
        if (session.json)
            print_json({{"folder", folder}, {"shards", cut.size()}});
        else
            print_text("prepared " + folder + "\n");
        return {};
    }
    StderrLog log(session.log, {.component = "up"});
    return Supervisor(options, session, network, log).run();
}

}  // namespace

void add_up(CLI::App& app, Session& session) {
    auto options = std::make_shared<UpOptions>();
    CLI::App* command =
        add_command(app, session, "up",
                    "Run a whole network on this machine, each node its own process", options, up);
    command->add_option("--model", options->model, "GGUF file; default: the built-in story model")
        ->envname("TEETEE_MODEL");
    options->cut.add_to(*command);
    command
        ->add_option("--replicas", options->replicas,
                     "Nodes a shard; each entry has an HTTP port of its own: --port, two above, ..")
        ->capture_default_str()
        ->check(CLI::Range(1, 64));
    command
        ->add_option("--port", options->port,
                     "HTTP port of the entry; the network uses some ports behind it as well")
        ->capture_default_str()
        ->envname("TEETEE_PORT");
    command->add_option("--dir", options->folder,
                        "Folder for shards and keys; default: in ~/.local/state/teetee");
    command
        ->add_option("--drafts-max", options->drafts_max,
                     "Tokens of an answer guessed ahead at most; 0 turns it off")
        ->capture_default_str()
        ->check(CLI::Range(0, 64));
    command
        ->add_option("--draft-model", options->draft_model,
                     "GGUF file of a small model with the same vocabulary, by which entries guess "
                     "tokens as well")
        ->envname("TEETEE_DRAFT_MODEL");
    command->add_option("--threads", options->threads, "Compute threads a node")
        ->capture_default_str()
        ->check(CLI::Range(0, 256));
    options->kv.add_to(*command);
    options->activations.add_to(*command);
    command->add_option("--metrics-port", options->metrics_port,
                        "Where the first node serves its metrics, each other one behind it; "
                        "default: the API of an entry alone does");
    command->add_flag("--no-chain", options->no_chain, "On no chain: answers are free");
    command
        ->add_option("--anvil", options->anvil,
                     "anvil's program; default: that of contracts/node_modules (make contracts)")
        ->envname("TEETEE_ANVIL");
    command
        ->add_option("--web", options->web_folder,
                     "Folder of the web app that entries serve; default: that which 'make web' "
                     "built; none: no page")
        ->envname("TEETEE_WEB");
    command->add_flag("--prepare-only", options->prepare_only, "Write the files and stop");
}

}  // namespace teetee::cli
