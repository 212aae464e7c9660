// SPDX-License-Identifier: Apache-2.0
#include "cli/chain_option.hpp"

#include "chain/limits.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

constexpr const char* group = "Chain";

// One variable may name several.
std::vector<std::string> split_urls(const std::vector<std::string>& given) {
    std::vector<std::string> urls;
    for (std::string_view rest : given) {
        while (!rest.empty()) {
            const size_t comma = std::min(rest.find(','), rest.size());
            if (comma > 0) urls.emplace_back(rest.substr(0, comma));
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    }
    return urls;
}

}  // namespace

Result<chain::DeploymentFile> read_deployment(const std::string& path) {
    TT_TRY(const Bytes text, net::read_file(path, chain::deployment_file_bytes_max));
    auto record = chain::parse_deployment_file(as_text(text));
    if (!record) return in_context(path, std::move(record).error());
    return record;
}

void ChainOption::add_to(CLI::App& command) {
    command
        .add_option("--rpc", rpc_urls,
                    "URL of an Ethereum node of the chain; several may be named, and more than "
                    "half of them must then say the same")
        ->envname("TEETEE_RPC")
        ->group(group);
    command
        .add_option("--deployment", deployment_path,
                    "Where the contract is: the file that contracts/tools/deploy wrote")
        ->envname("TEETEE_DEPLOYMENT")
        ->group(group);
    command.add_option("--contract", contract, "Its address, in place of a --deployment")
        ->envname("TEETEE_CONTRACT")
        ->group(group);
    command.add_option("--chain-id", chain_id, "Its chain, likewise")
        ->envname("TEETEE_CHAIN_ID")
        ->group(group);
    command
        .add_option("--from-block", from_block,
                    "Block that it was deployed in, or an earlier one; saves time")
        ->envname("TEETEE_FROM_BLOCK")
        ->group(group);
}

Result<ChainTarget> ChainOption::resolve() const {
    ChainTarget target{.rpc_urls = split_urls(rpc_urls)};
    if (!deployment_path.empty()) {
        TT_TRY(target.record, read_deployment(deployment_path));
        target.deployment = target.record->deployment;
        target.start_block = target.record->block;
    }
    if (!contract.empty()) {
        auto address = chain::parse_address(contract);
        if (!address)
            return fail(ErrorCode::invalid_argument, "--contract: " + address.error().detail);
        if (target.record && *address != target.deployment.contract) target.record.reset();
        target.deployment.contract = *address;
    }
    if (chain_id != 0) target.deployment.chain_id = chain_id;
    if (from_block != 0) target.start_block = from_block;
    if (target.rpc_urls.empty())
        return fail(ErrorCode::invalid_argument, "need --rpc URL (or TEETEE_RPC)");
    if (target.deployment.contract == chain::Address{} || target.deployment.chain_id == 0) {
        return fail(ErrorCode::invalid_argument,
                    "need --deployment FILE (or TEETEE_DEPLOYMENT), or --contract ADDRESS and "
                    "--chain-id N");
    }
    return target;
}

}  // namespace teetee::cli
