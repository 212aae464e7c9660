// SPDX-License-Identifier: Apache-2.0
#include "cli/host_options.hpp"

#include <fmt/format.h>

#include "hub/limits.hpp"

namespace teetee::cli {
namespace {

constexpr const char* files_group = "Files";
constexpr const char* deployment_group = "Deployment";
constexpr const char* registration_group = "Registration";

void add_files(CLI::App& command, HostOptions& options) {
    SlotFilesOptions& files = options.files;
    command
        .add_option("--from", files.from,
                    "Where the shard is, if not beside the manifest: URL of the file or of a "
                    "folder with it, hf:OWNER/NAME; may be repeated, tried in order")
        ->delimiter(',')
        ->group(files_group);
    command
        .add_option("--manifest", files.manifest,
                    "The model's manifest.json, a file or a URL; default: where the pool says")
        ->group(files_group);
    command
        .add_option("--policy", files.policy,
                    "The pool's policy, a file or a URL; default: where the pool says")
        ->group(files_group);
    command
        .add_option("--ca", files.ca_file,
                    "PEM file with the roots that https servers are known by; default: the "
                    "system's")
        ->check(CLI::ExistingFile)
        ->group(files_group);
    command
        .add_option("--token-file", files.token_file,
                    "File with a token for what is not public; default, for the hub: HF_TOKEN")
        ->group(files_group);
    command.add_option("--connections", files.connections, "How many parts are fetched at a time")
        ->capture_default_str()
        ->check(CLI::Range(size_t{1}, hub::connections_max))
        ->group(files_group);
    CLI::Option* only =
        command
            .add_flag("--fetch-only", options.fetch_only,
                      "Fetch and verify the slot's files into --dir, and nothing else: what the "
                      "container does before the node starts")
            ->group(files_group);
    command
        .add_flag("--no-fetch", options.no_fetch,
                  "Fetch no shard here: the deployed container fetches its own")
        ->excludes(only)
        ->group(files_group);
}

void add_deployment(CLI::App& command, HostOptions& options) {
    command
        .add_option("--image", options.image,
                    "The container image, NAME@sha256:DIGEST: that of the pool's policy")
        ->group(deployment_group);
    command
        .add_option("--dev-tee", options.dev_tee,
                    "Seed file of a SIMULATED TEE, which the node then shows: for development")
        ->group(deployment_group);
    command
        .add_option("--image-measurements", options.image_measurements,
                    "Registers of the OS image, as of 'attest measure', to compare with the pool")
        ->group(deployment_group);
    command
        .add_option("--account", options.account,
                    "Your wallet's address, where its key is not here (--keystore, TEETEE_KEY)")
        ->group(deployment_group);
    command
        .add_option("--advertise", options.advertise,
                    "URL at which other nodes will reach port 5010, tls://HOST:PORT")
        ->group(deployment_group);
    command
        .add_option("--next", options.next,
                    "URL of a node to begin with; the contract names others. May be repeated")
        ->delimiter(',')
        ->group(deployment_group);
    command
        .add_option("--gateway", options.gateway,
                    "Domain of dstack's gateway: the node's URLs follow from it and the app id")
        ->group(deployment_group);
    command
        .add_option("--app-id", options.app_id,
                    "Where a contract of the key service gives it; default: from the compose hash")
        ->group(deployment_group);
}

}  // namespace

void HostOptions::add_to(CLI::App& command) {
    command.add_option("--pool", pool, "Number of the pool (teetee pool list)")
        ->required()
        ->envname("TEETEE_POOL");
    command.add_option("--slot", slot, "Slot to serve; default: the worst served")
        ->envname("TEETEE_SLOT");
    command.add_option("--dir", dir,
                       "Folder for all that is written; default: teetee-pool-N-slot-S");
    add_files(command, *this);
    add_deployment(command, *this);
    command
        .add_option("--deployed", deployed,
                    "URL of the running node's --status (port 5001): verify it, and register or "
                    "renew it")
        ->group(registration_group);
    command
        .add_flag("--no-dial", no_dial,
                  "Do not try whether the URL that other nodes dial leads to this node")
        ->group(registration_group);
    collateral.add_folder_to(command);
    collateral.add_services_to(command);
    registration.add_to(command);
    WalletOptions::add_to(command);
}

std::string HostOptions::folder(uint64_t slot_number) const {
    if (!dir.empty()) return dir;
    return fmt::format("teetee-pool-{}-slot-{}", pool, slot_number);
}

SlotFilesOptions HostOptions::slot_files(uint64_t slot_number) const {
    SlotFilesOptions out = files;
    out.folder.path = folder(slot_number) + "/slot";
    return out;
}

Result<PoolSight> find_pool(const ChainSession& chain, uint64_t id, uint64_t now) {
    const chain::PoolRecord* pool = chain.state().pool(id);
    if (pool == nullptr) {
        return fail(ErrorCode::call_reverted,
                    fmt::format("there is no pool {}: have {} (teetee pool list)", id,
                                chain.state().pools().size()));
    }
    return PoolSight{.id = id,
                     .pool = pool,
                     .state = &chain.state(),
                     .wei_per_credit = chain.facts().wei_per_credit,
                     .now = now};
}

}  // namespace teetee::cli
