// SPDX-License-Identifier: Apache-2.0
// 'teetee host': from a pool on the contract to a node that serves one of its slots
// (docs/deploy.md).
#include <filesystem>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/compose_file.hpp"
#include "cli/deploy_commands.hpp"
#include "cli/dev_network.hpp"
#include "cli/expected_measurement.hpp"
#include "cli/host_options.hpp"
#include "cli/shell_word.hpp"
#include "cli/terminal.hpp"
#include "model/kv_budget.hpp"

namespace teetee::cli {
namespace {

namespace json = boost::json;

/// What the contract says, and what was chosen of it.
struct Plan {
    std::unique_ptr<ChainSession> chain;
    PoolSight sight;
    std::vector<SlotSight> slots;
    SlotSight chosen;
    chain::Address host{};
};

/// What is written for the node's deployment.
struct Written {
    std::string compose_path;
    std::string app_compose_path;
    std::string environment_path;
    std::string status_url;
    std::string advertise;
    ExpectedMeasurement expected;
};

Result<chain::Address> host_of(const HostOptions& options) {
    if (!options.account.empty()) return parse_account(options.account, "--account");
    if (options.fetch_only) return chain::Address{};
    auto address = options.wallet.address();
    if (address) return address;
    return fail(ErrorCode::invalid_argument,
                "the node signs for its host's wallet: need --account 0x.., --keystore FILE or "
                "TEETEE_KEY (" +
                    address.error().detail + ")");
}

Result<Plan> plan(const HostOptions& options) {
    Plan out;
    TT_TRY(out.host, host_of(options));
    TT_TRY(out.chain, open_view(options.chain));
    TT_TRY(const uint64_t now, out.chain->time());
    TT_TRY(out.sight, find_pool(*out.chain, options.pool, now));
    // A node that was there before goes on in a closed pool, and is started again.
    if (!options.fetch_only) TT_CHECK(ensure_open(out.sight));
    out.slots = see_slots(out.sight, out.host);
    TT_TRY(out.chosen, choose_slot(out.sight, out.slots, options.slot));
    return out;
}

std::string plan_text(const HostOptions& options, const Plan& plan) {
    std::string out = pool_line(plan.sight);
    for (const SlotSight& slot : plan.slots) {
        out += fmt::format("  slot {:<3} layers {:>3} to {:<3} {} live{}{}\n", slot.slot,
                           slot.layers.begin, slot.layers.end - 1, slot.live,
                           slot.own > 0 ? fmt::format(", {} yours", slot.own) : "",
                           slot.slot != plan.chosen.slot ? ""
                           : options.slot                ? "   <- as you say"
                                                         : "   <- the worst served");
    }
    return out;
}

void put_plan(const Plan& plan, json::object& out) {
    json::array slots;
    for (const SlotSight& slot : plan.slots) {
        slots.push_back(json::object{{"slot", slot.slot},
                                     {"layers", json::array{slot.layers.begin, slot.layers.end}},
                                     {"live", slot.live},
                                     {"own", slot.own}});
    }
    out["pool"] = plan.sight.id;
    out["model_root"] = "0x" + to_hex(plan.sight.pool->model_root);
    out["slot"] = plan.chosen.slot;
    out["layers"] = json::array{plan.chosen.layers.begin, plan.chosen.layers.end};
    out["slots"] = std::move(slots);
}

// ----------------------------------------------------------------------------- what is deployed

std::string joined(const std::vector<std::string>& parts) {
    std::string out;
    for (const std::string& part : parts) out += (out.empty() ? "" : ",") + part;
    return out;
}

/// As compose files read it: nothing in it is a variable.
std::string env_value(const std::string& value) {
    const auto is_plain = [](char c) {
        constexpr std::string_view marks = "_./:@,+=-";
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               marks.find(c) != std::string_view::npos;
    };
    if (std::ranges::all_of(value, is_plain)) return value;
    return "'" + value + "'";
}

/// Compose files have no way to write a quote or a new line into such a value.
Result<void> check_env_value(std::string_view name, const std::string& value) {
    const auto is_bad = [](char c) { return c == '\'' || static_cast<unsigned char>(c) < 0x20; };
    if (std::ranges::none_of(value, is_bad)) return {};
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{}: have a quote or a control character in it, which a .env file cannot "
                    "say; in URLs write %27 for '",
                    name));
}

/// How dstack's gateway names a port of an app; with `suffix` "s" its TLS is passed through.
std::string gateway_host(const HostOptions& options, const attest::AppId& app, int port,
                         std::string_view suffix) {
    return fmt::format("{}-{}{}.{}", to_hex(app), port, suffix, options.gateway);
}

std::string advertised(const HostOptions& options, const attest::AppId& app) {
    if (!options.advertise.empty() || options.gateway.empty()) return options.advertise;
    return fmt::format("tls://{}:443", gateway_host(options, app, ContainerPorts::links, "s"));
}

Result<std::string> environment_text(const HostOptions& options, const Plan& plan,
                                     const Written& written) {
    const ChainTarget& target = plan.chain->target();
    const attest::AppId& app = written.expected.app.app_id;
    const bool names_api = !options.gateway.empty() && plan.chosen.slot == 0;
    const auto value_of = [&](std::string_view name) -> std::string {
        if (name == "TEETEE_RPC") return joined(target.rpc_urls);
        if (name == "TEETEE_CONTRACT") return chain::to_checksum_text(target.deployment.contract);
        if (name == "TEETEE_CHAIN_ID") return std::to_string(target.deployment.chain_id);
        if (name == "TEETEE_FROM_BLOCK") return std::to_string(target.start_block);
        if (name == "TEETEE_POOL") return std::to_string(plan.sight.id);
        if (name == "TEETEE_SLOT") return std::to_string(plan.chosen.slot);
        if (name == "TEETEE_SHARD_FROM") return joined(options.files.from);
        // A container sees no file of this machine but those that were fetched.
        if (name == "TEETEE_MANIFEST_FROM")
            return is_remote(options.files.manifest) ? options.files.manifest : "";
        if (name == "TEETEE_POLICY_FROM")
            return is_remote(options.files.policy) ? options.files.policy : "";
        if (name == "TEETEE_HOST") return chain::to_checksum_text(plan.host);
        if (name == "TEETEE_ADVERTISE") return written.advertise;
        if (name == "TEETEE_NEXT_URL") return joined(options.next);
        if (name == "TEETEE_PCCS") return joined(options.collateral.services);
        if (names_api && name == "TEETEE_API_URL")
            return "https://" + gateway_host(options, app, ContainerPorts::api, "");
        if (names_api && name == "TEETEE_API_TLS_URL")
            return "https://" + gateway_host(options, app, ContainerPorts::api_tls, "s");
        return "";
    };
    std::string out =
        "# What the node's compose file takes; none of it is measured (docs/deploy.md).\n";
    for (const std::string& name : host_variables()) {
        if (name == "TEETEE_ADVERTISE" && written.advertise.empty())
            out +=
                "# tls://HOST:PORT at which other nodes reach port 5010: set it before the "
                "node starts.\n";
        const std::string value = value_of(name);
        TT_CHECK(check_env_value(name, value));
        out += name + "=" + env_value(value) + "\n";
    }
    return out;
}

/// A file that somebody may have changed is not written over.
Result<std::string> write_environment(const std::string& folder, const std::string& text) {
    std::string path = folder + "/.env";
    const auto have = net::read_file(path, size_t{1} << 20);
    if (have && as_text(*have) != text) path += ".new";
    TT_CHECK(net::write_file_atomic(path, as_bytes(text), {.mode = 0600}));
    return path;
}

/// Seed and collateral of a SIMULATED TEE, where the compose file looks for them.
Result<void> write_dev_files(const HostOptions& options, const std::string& folder) {
    TT_CHECK(open_dev_pki(options.dev_tee));
    const DevNetwork network{folder, {}};
    TT_TRY(const Bytes seed, net::read_file(options.dev_tee, 4096));
    TT_CHECK(net::write_file_atomic(network.seed_path(), seed, {.mode = 0600}));
    return refresh_dev_collateral(network, SystemClock().unix_now());
}

Result<Written> describe(const HostOptions& options, const std::string& folder,
                         const std::string& app_compose) {
    std::optional<attest::AppId> app_id;
    if (!options.app_id.empty()) {
        auto given = array_from_hex<20>(options.app_id);
        if (!given) return fail(ErrorCode::invalid_argument, "--app-id: " + given.error().detail);
        app_id = *given;
    }
    Written out{.compose_path = folder + "/docker-compose.yaml",
                .app_compose_path = folder + "/app-compose.json",
                .environment_path = folder + "/.env",
                .status_url = {},
                .advertise = {},
                .expected = {}};
    TT_TRY(out.expected,
           ExpectedMeasurement::of(as_bytes(app_compose), app_id, options.image_measurements));
    out.advertise = advertised(options, out.expected.app.app_id);
    if (!options.gateway.empty())
        out.status_url =
            "https://" + gateway_host(options, out.expected.app.app_id, ContainerPorts::status, "");
    return out;
}

Result<Written> write_deployment(const HostOptions& options, const Plan& plan,
                                 const std::string& folder) {
    const bool is_dev = !options.dev_tee.empty();
    if (!is_dev) TT_CHECK(ensure_pinned(options.image));
    const std::string image = options.image.empty() ? local_image() : options.image;
    const std::string compose = host_compose({.image = image, .is_dev = is_dev});
    const std::string app_compose = host_app_compose(compose);
    TT_TRY(auto out, describe(options, folder, app_compose));
    TT_TRY(const std::string environment, environment_text(options, plan, out));
    if (options.send.is_dry_run) return out;
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) return fail(ErrorCode::io_failed, folder + ": " + failed.message());
    TT_CHECK(net::write_file_atomic(out.compose_path, as_bytes(compose)));
    TT_CHECK(net::write_file_atomic(out.app_compose_path, as_bytes(app_compose)));
    const std::string override_path = folder + "/docker-compose.override.yaml";
    if (options.no_fetch) {
        std::filesystem::remove(override_path, failed);
    } else {
        TT_CHECK(net::write_file_atomic(override_path, as_bytes(host_override())));
    }
    TT_TRY(out.environment_path, write_environment(folder, environment));
    if (is_dev) TT_CHECK(write_dev_files(options, folder));
    return out;
}

// ------------------------------------------------------------------------------------- its report

/// Whether other nodes would take this code, by the pool's policy; and whether the contract would.
struct Acceptance {
    bool by_policy = false;
    /// nullopt: the OS image is not known here.
    std::optional<bool> by_contract{};
};

Acceptance acceptance_of(const Plan& plan, const SlotTerms& terms,
                         const ExpectedMeasurement& expected) {
    Acceptance out;
    // An entry that leaves MRCONFIGID open goes by other registers: the running node shows whether
    // it is of these.
    out.by_policy = std::ranges::any_of(terms.policy.measurements, [&](const auto& build) {
        return !build.mrconfigid || build.mrconfigid == expected.app.mrconfigid;
    });
    const auto names = expected.on_chain();
    if (!names.empty()) {
        out.by_contract = std::ranges::any_of(names, [&](const Digest& name) {
            return plan.sight.pool->accepts(name, plan.sight.now);
        });
    }
    return out;
}

std::string acceptance_text(const Plan& plan, const Acceptance& acceptance,
                            const ExpectedMeasurement& expected) {
    std::string out;
    if (!acceptance.by_policy)
        out +=
            "NOTE: the pool's policy names no build with this MRCONFIGID; its nodes will refuse "
            "this one. Is the image the pool's?\n";
    if (acceptance.by_contract == false) {
        const std::string name = to_hex(expected.on_chain().front());
        out += fmt::format(
            "NOTE: the contract does not accept this code yet; the pool's creator can: teetee pool "
            "measurement accept {} --measurement 0x{}\n",
            plan.sight.id, name);
    }
    return out;
}

std::string shard_text(const FetchedShard& shard, const SlotFolder& folder) {
    std::string how = "was there, every byte verified";
    if (!shard.was_there) {
        how = fmt::format("{} fetched", model::show_byte_count(shard.fetched_bytes));
        if (shard.resumed_bytes > 0)
            how += fmt::format(", {} were there", model::show_byte_count(shard.resumed_bytes));
        how += ", every byte verified";
    }
    return fmt::format("{}  {}: {}\n", folder.shard(), model::show_byte_count(shard.bytes), how);
}

json::value shard_json(const std::optional<FetchedShard>& shard, const SlotFolder& folder) {
    if (!shard) return nullptr;
    return json::object{{"file", folder.shard()},
                        {"source", shard->source},
                        {"bytes", shard->bytes},
                        {"fetched_bytes", shard->fetched_bytes},
                        {"resumed_bytes", shard->resumed_bytes},
                        {"was_there", shard->was_there}};
}

std::string next_text(const HostOptions& options, const Plan& plan, const Written& written,
                      const std::string& folder) {
    const std::string word = shell_word(folder);
    return fmt::format(
               "next: {}deploy {}/app-compose.json with the variables of {} (dstack, Phala Cloud), "
               "or "
               "'docker compose up -d' in {}\n"
               "then: teetee host --pool {} --dir {} --deployed {}\n",
               written.advertise.empty() ? "set TEETEE_ADVERTISE, " : "", word,
               shell_word(written.environment_path), word, plan.sight.id, word,
               written.status_url.empty() ? "http://HOST:5001" : written.status_url) +
           (written.environment_path.ends_with(".new")
                ? fmt::format("NOTE: {0}/.env differs from what was written and stays; the new one "
                              "is {0}/.env.new: take over what you need before you start\n",
                              word)
                : "") +
           (options.send.is_dry_run ? "a dry run: nothing was written\n" : "");
}

Result<void> fetch_only(const HostOptions& options, const Plan& plan, Session& session) {
    const SlotFilesOptions files = [&] {
        SlotFilesOptions out = options.files;
        out.folder.path = options.dir;
        return out;
    }();
    if (options.dir.empty())
        return fail(ErrorCode::invalid_argument, "--fetch-only needs --dir, for the slot's files");
    TT_TRY(const auto terms,
           read_slot_terms(files, *plan.sight.pool, plan.sight.now, plan.chosen.slot));
    TT_TRY(const auto shard, fetch_slot(files, terms, plan.chosen.slot));
    if (session.json) {
        json::object out;
        put_plan(plan, out);
        out["shard"] = shard_json(shard, files.folder);
        print_json(out);
    } else {
        print_text(shard_text(shard, files.folder));
    }
    return {};
}

void print_report(const HostOptions& options, const Plan& plan,
                  const std::optional<FetchedShard>& shard, const Written& written,
                  const Acceptance& acceptance, Session& session) {
    const std::string folder = options.folder(plan.chosen.slot);
    const SlotFolder files = options.slot_files(plan.chosen.slot).folder;
    if (!session.json) {
        std::string text = shard ? shard_text(*shard, files) : "";
        text += fmt::format("{}\n{}\n{}\n", written.compose_path, written.app_compose_path,
                            written.environment_path);
        text += written.expected.text();
        if (options.dev_tee.empty()) text += acceptance_text(plan, acceptance, written.expected);
        print_text(text + next_text(options, plan, written, folder));
        return;
    }
    json::object out;
    put_plan(plan, out);
    out["dir"] = folder;
    out["shard"] = shard_json(shard, files);
    out["compose"] = written.compose_path;
    out["app_compose"] = written.app_compose_path;
    out["environment"] = written.environment_path;
    out["advertise"] = written.advertise;
    out["status_url"] = written.status_url;
    written.expected.put_into(out);
    out["accepted_by_policy"] = acceptance.by_policy;
    out["accepted_by_contract"] =
        acceptance.by_contract ? json::value(*acceptance.by_contract) : json::value();
    out["dry_run"] = options.send.is_dry_run;
    print_json(out);
}

Result<void> host(const HostOptions& options, Session& session) {
    if (!options.deployed.empty()) return register_deployed(options, session);
    TT_TRY(const Plan plan, cli::plan(options));
    if (options.fetch_only) return fetch_only(options, plan, session);
    if (!session.json) print_text(plan_text(options, plan));
    const bool is_asked = !options.slot && !options.send.is_agreed && !options.send.is_dry_run &&
                          !session.json && has_terminal();
    if (is_asked && !ask_yes(fmt::format("host slot {}?", plan.chosen.slot))) {
        print_text("nothing was done; --slot N names another\n");
        return {};
    }
    const uint64_t slot = plan.chosen.slot;
    const SlotFilesOptions files = options.slot_files(slot);
    // What is wrong with the flags is said before gigabytes are fetched.
    if (options.dev_tee.empty()) TT_CHECK(ensure_pinned(options.image));
    TT_TRY(const auto terms, read_slot_terms(files, *plan.sight.pool, plan.sight.now, slot));
    std::optional<FetchedShard> shard;
    if (!options.no_fetch && !options.send.is_dry_run) {
        TT_TRY(shard, fetch_slot(files, terms, slot));
    }
    TT_TRY(const auto written, write_deployment(options, plan, options.folder(slot)));
    print_report(options, plan, shard, written, acceptance_of(plan, terms, written.expected),
                 session);
    return {};
}

}  // namespace

void add_host(CLI::App& app, Session& session) {
    auto options = std::make_shared<HostOptions>();
    CLI::App* command = add_command(
        app, session, "host",
        "Serve a slot of a pool: choose it, fetch its shard, deploy, register", options, host);
    options->add_to(*command);
}

}  // namespace teetee::cli
