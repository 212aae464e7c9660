// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <fmt/format.h>

#include "chain/bindings/tee_tee.hpp"
#include "chain/rpc_calls.hpp"
#include "chain/rpc_results.hpp"
#include "cli/chain_probe.hpp"
#include "cli/doctor_judgement.hpp"
#include "cli/doctor_setup.hpp"
#include "node/sealed_key.hpp"

namespace teetee::cli {
namespace {

constexpr Duration time_max = std::chrono::seconds(10);
constexpr uint64_t anvil_chain = 31337;

/// Without a path, which may hold a provider's key.
std::string shown(const std::string& url) {
    const auto parsed = net::parse_url(url);
    if (!parsed) return quote_foreign(url.substr(0, url.find('/', url.find("://") + 3)));
    return (parsed->tls ? "https://" : "http://") + net::to_string(parsed->address);
}

template <class Call>
Result<typename Call::Reply> ask_contract(const std::string& url, const chain::Address& contract,
                                          const Call& call) {
    TT_TRY(Bytes data, call.encode());
    TT_TRY(const auto answer,
           ask_endpoint(url,
                        chain::call_contract({.to = contract, .data = std::move(data)},
                                             chain::BlockTag::latest()),
                        time_max));
    TT_TRY(const Bytes reply, chain::parse_rpc_data(answer));
    return Call::decode_reply(reply);
}

Result<chain::BlockHeader> ask_head(const std::string& url) {
    TT_TRY(const auto answer,
           ask_endpoint(url, chain::call_block(chain::BlockTag::latest()), time_max));
    TT_TRY(const auto block, chain::parse_rpc_block(answer));
    if (!block) return fail(ErrorCode::rpc_malformed, "the chain has no newest block");
    return *block;
}

/// Anvil's, or a chain that lacks what the real one of its number has (see ChainFacts).
bool is_dev_chain(const std::string& url, uint64_t chain_id) {
    if (chain_id == anvil_chain) return true;
    const auto code =
        ask_endpoint(url, chain::call_code(gas_oracle(), chain::BlockTag::latest()), time_max);
    const auto bytes = code ? chain::parse_rpc_data(*code) : Result<Bytes>(code.error());
    return bytes && bytes->empty();
}

/// False where there is no use in asking this endpoint for more.
bool check_endpoint(const std::string& url, DoctorSetup& setup, DoctorFindings& findings) {
    const chain::Deployment& deployment = setup.chain->deployment;
    const auto answer = ask_endpoint(url, chain::call_chain_id(), time_max);
    const auto have = answer ? chain::parse_rpc_u64(*answer) : Result<uint64_t>(answer.error());
    if (!have) {
        findings.problem({.cause = fmt::format("--rpc {}: {}", shown(url), have.error().message()),
                          .fix = "curl -X POST -H 'content-type: application/json' -d "
                                 "'{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\","
                                 "\"params\":[]}' " +
                                 shown(url) + "; or another --rpc URL"});
        return false;
    }
    if (*have != deployment.chain_id) {
        findings.problem(
            {.cause = fmt::format("--rpc {} is of chain {}, the contract is on chain {}",
                                  shown(url), *have, deployment.chain_id),
             .fix = fmt::format("--rpc URL of chain {0}, or the --deployment of chain {1}",
                                deployment.chain_id, *have)});
        return false;
    }
    const auto head = ask_head(url);
    if (!head) {
        findings.problem({.cause = fmt::format("--rpc {}: {}", shown(url), head.error().message()),
                          .fix = "another --rpc URL"});
        return false;
    }
    findings.add(judge_head({.url = "--rpc " + shown(url),
                             .number = head->number,
                             .time = static_cast<UnixSeconds>(head->timestamp),
                             .is_dev = is_dev_chain(url, *have)},
                            setup.clock.unix_now()));
    const auto code = ask_endpoint(
        url, chain::call_code(deployment.contract, chain::BlockTag::latest()), time_max);
    const auto bytes = code ? chain::parse_rpc_data(*code) : Result<Bytes>(code.error());
    if (bytes && !bytes->empty()) return true;
    findings.problem(
        {.cause = fmt::format(
             "--rpc {}: {}", shown(url),
             bytes ? "there is no contract at " + chain::to_checksum_text(deployment.contract)
                   : bytes.error().message()),
         .fix = "the --deployment FILE (or --contract) of this chain: it may have begun anew"});
    return false;
}

void check_pool(const std::string& url, DoctorSetup& setup, DoctorFindings& findings) {
    const uint64_t pool = setup.options.chain.pool;
    const auto info = ask_contract(url, setup.chain->deployment.contract,
                                   chain::tee_tee::PoolInfoCall{.id = pool});
    if (!info) {
        return findings.problem(
            {.cause = fmt::format("--pool {}: {}", pool, info.error().message()),
             .fix = "teetee pool list says which there are"});
    }
    if (info->info.closed) {
        return findings.problem({.cause = fmt::format("--pool {} is closed", pool),
                                 .fix = "teetee pool list says which are open"});
    }
    if (setup.manifest && info->info.model_root != setup.manifest->model_root) {
        return findings.problem(
            {.cause = fmt::format("--pool {} is of another model than the manifest", pool),
             .fix = fmt::format("teetee pool show {}; the manifest and shard of its model", pool)});
    }
    if (setup.policy && info->info.policy_hash != setup.policy->hash) {
        return findings.problem(
            {.cause = fmt::format("--pool {} has another policy than the file", pool),
             .fix =
                 fmt::format("teetee pool show {}; the very file that the pool announced", pool)});
    }
    findings.ok(fmt::format("pool {} is open, with {} slots", pool, info->info.slot_layers.size()));
}

void check_registration(const std::string& url, DoctorSetup& setup, DoctorFindings& findings) {
    const NodeChainOption& option = setup.options.chain;
    const std::string path = option.state_folder + "/receipt.key";
    const std::string fix = option.is_self_registering
                                ? "start it: it registers itself"
                                : "start it with --host ADDRESS --registration FILE, then: teetee "
                                  "register FILE";
    std::error_code failed;
    if (!setup.tee || !std::filesystem::exists(path, failed))
        return findings.ok("this node has no key yet; " + fix);
    const auto key = node::load_sealed_key(path, node::receipt_key_purpose, *setup.tee, setup.rng);
    if (!key) {
        return findings.problem(
            {.cause = path + ": " + key.error().message(),
             .fix = "the --state of this TEE and this program; or a new one, and register anew"});
    }
    const auto& contract = setup.chain->deployment.contract;
    const auto id =
        ask_contract(url, contract, chain::tee_tee::NodeOfKeyCall{.receipt_key = key->address()});
    const std::string other_endpoint =
        "another --rpc URL: this one does not say how the node is "
        "registered";
    if (!id) return findings.warn({.cause = id.error().message(), .fix = other_endpoint});
    const std::string name = "node " + chain::to_checksum_text(key->address());
    if (id->node == 0) return findings.warn({.cause = name + " is not registered", .fix = fix});
    const auto info = ask_contract(url, contract, chain::tee_tee::NodeInfoCall{.id = id->node});
    if (!info) return findings.warn({.cause = info.error().message(), .fix = other_endpoint});
    if (info->value.left || info->value.pool != option.pool) {
        return findings.problem(
            {.cause = info->value.left ? name + " has left its pool"
                                       : fmt::format("{} is of pool {}, not {}", name,
                                                     info->value.pool, option.pool),
             .fix = "another --state folder, for a new key, and register that"});
    }
    DoctorFinding judged =
        judge_expiry(name + "'s registration", static_cast<UnixSeconds>(info->value.expiry),
                     setup.clock.unix_now());
    // A registration is renewed with every statement, once a day or so.
    if (judged.finding == Finding::problem) judged.fix = "teetee renew FILE";
    if (judged.finding == Finding::warning) judged.finding = Finding::ok;
    findings.add(std::move(judged));
}

}  // namespace

void check_chain(DoctorSetup& setup, DoctorFindings& findings) {
    const NodeChainOption& option = setup.options.chain;
    const bool is_named = !option.chain.rpc_urls.empty() || !option.chain.deployment_path.empty() ||
                          !option.chain.contract.empty();
    if (!option.is_used() && !is_named) return findings.ok("none: answers are free");
    if (!option.is_used()) {
        findings.warn(
            {.cause = "a chain is named, but no pool: answers are free", .fix = "--pool N"});
    }
    auto target = option.chain.resolve();
    if (!target) {
        return findings.problem({.cause = target.error().message(),
                                 .fix = "--rpc URL and --deployment FILE, of the pool's chain"});
    }
    setup.chain = std::move(*target);
    if (option.is_used() && option.state_folder.empty()) {
        findings.problem({.cause = "--pool needs --state: what is earned and not settled would be "
                                   "lost",
                          .fix = "--state /var/lib/teetee"});
    }
    const std::string* good = nullptr;
    for (const std::string& url : setup.chain->rpc_urls) {
        if (check_endpoint(url, setup, findings) && good == nullptr) good = &url;
    }
    if (good == nullptr || !option.is_used()) return;
    check_pool(*good, setup, findings);
    if (!option.state_folder.empty()) check_registration(*good, setup, findings);
}

}  // namespace teetee::cli
