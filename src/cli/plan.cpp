// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "cli/host_list.hpp"
#include "cli/model_file.hpp"
#include "cli/plan_report.hpp"
#include "model/cut_costs.hpp"

namespace teetee::cli {
namespace {

struct PlanCommandOptions {
    std::string model;
    std::string hosts_path;
    std::vector<std::string> named_hosts;
    size_t shards = 0;
    Position positions = 0;
    KvOptions kv;
    uint32_t rows = 1;
    double rtt_ms = 0;
    double margin_percent = 10;
};

/// In the order in which they are given: those of the list, then those with a file each.
Result<std::vector<model::PlanHost>> gather_hosts(const PlanCommandOptions& options) {
    std::vector<model::PlanHost> hosts;
    if (!options.hosts_path.empty()) {
        TT_TRY(hosts, read_hosts(options.hosts_path));
    }
    for (const std::string& named : options.named_hosts) {
        TT_TRY(auto host, read_host(named));
        hosts.push_back(std::move(host));
    }
    std::set<std::string> names;
    for (model::PlanHost& host : hosts) {
        if (!names.insert(host.name).second) {
            return fail(ErrorCode::config_invalid,
                        "hosts: have " + quote_foreign(host.name) + " twice, need each once");
        }
        if (options.rows > 1 && host.multiply_adds_per_s == 0) {
            return fail(ErrorCode::config_invalid,
                        quote_foreign(host.name) +
                            ": multiply_adds_per_s is missing, which --rows " +
                            std::to_string(options.rows) +
                            " needs: run 'teetee bench' there with a prompt");
        }
        host.memory_bytes = static_cast<uint64_t>(static_cast<double>(host.memory_bytes) *
                                                  (1 - options.margin_percent / 100));
    }
    return hosts;
}

/// What a node of the model would give room for by itself.
Result<Position> default_positions(const model::Gguf& gguf,
                                   const std::optional<model::KvType>& kv_type) {
    TT_TRY(const auto hyperparameters, model::hyperparameters_from(gguf));
    model::ModelOptions whole;
    whole.kv_type = kv_type;
    TT_TRY(const auto shape, model::kv_shape_of(gguf, whole));
    TT_TRY(const auto kv, model::plan_kv(shape, hyperparameters.context_length, {}));
    return kv.positions;
}

Result<void> plan(const PlanCommandOptions& options, Session& session) {
    TT_TRY(const auto file, ModelFile::open(options.model));
    model::CostOptions cost_options = {.positions = options.positions, .rows = options.rows};
    TT_TRY(cost_options.kv_type, options.kv.kv_type());
    if (cost_options.positions == 0) {
        TT_TRY(cost_options.positions, default_positions(file.gguf, cost_options.kv_type));
    }
    PlanReport report{.model = options.model,
                      .shard_count = options.shards,
                      .rows = options.rows,
                      .positions = cost_options.positions,
                      .rtt_s = options.rtt_ms / 1e3};
    TT_TRY(report.hosts, gather_hosts(options));
    TT_TRY(report.costs, model::model_costs(file.gguf, cost_options));
    TT_TRY(report.plan, model::plan_cut(report.costs, report.hosts, options.shards));
    if (session.json)
        print_json(report.json());
    else
        print_text(report.text());
    return {};
}

}  // namespace

void add_plan(CLI::App& app, Session& session) {
    auto options = std::make_shared<PlanCommandOptions>();
    CLI::App* command = add_command(
        app, session, "plan", "Which layers each of several hosts should have, by speed and memory",
        options, plan);
    command->add_option("--model", options->model, "GGUF file")
        ->required()
        ->envname("TEETEE_MODEL");
    command->add_option("--hosts", options->hosts_path,
                        "JSON: {\"hosts\": [{\"name\", \"memory\", \"weight_bytes_per_s\", "
                        "\"multiply_adds_per_s\"}, ..]}, in the order of the route");
    command->add_option("--host", options->named_hosts,
                        "NAME=FILE: what 'teetee bench --json' printed there; may be repeated, in "
                        "the order of the route");
    command
        ->add_option("--shards", options->shards,
                     "So many, on some of the hosts; 0: as many as are of use")
        ->capture_default_str()
        ->check(CLI::Range(0, 512));
    command
        ->add_option("--positions", options->positions,
                     "Room for keys and values: positions of all requests together; 0: what a node "
                     "takes by itself")
        ->capture_default_str()
        ->check(CLI::Range(0, 1 << 30));
    command->add_option("--kv-type", options->kv.type, "How they are kept: f16, q8_0, f32 or auto")
        ->capture_default_str()
        ->envname("TEETEE_KV_TYPE");
    command->add_option("--rows", options->rows, "Requests that decode together in a batch")
        ->capture_default_str()
        ->check(CLI::Range(1, 512));
    command->add_option("--rtt-ms", options->rtt_ms, "Round trip between any two of the hosts")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1e6));
    command
        ->add_option("--margin-percent", options->margin_percent,
                     "Of each host's memory, to be left free")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 90.0));
}

}  // namespace teetee::cli
