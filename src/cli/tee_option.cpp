// SPDX-License-Identifier: Apache-2.0
#include "cli/tee_option.hpp"

#include <filesystem>

#include "cli/dev_network.hpp"
#include "net/configfs_tsm.hpp"
#include "net/dstack_agent.hpp"

namespace teetee::cli {
namespace {

using Provider = std::unique_ptr<attest::EvidenceProvider>;

bool exists(const std::string& path) {
    std::error_code failed;
    return std::filesystem::exists(path, failed);
}

Result<Provider> open_dev(const std::string& seed_path, Log& log, UnixSeconds now) {
    if (seed_path.empty()) {
        return fail(ErrorCode::invalid_argument, "--tee dev needs --dev-tee, its seed file");
    }
    TT_TRY(Provider tee, open_dev_tee(seed_path, now));
    log.warn("SIMULATED TEE: for development only, it protects nothing");
    return tee;
}

// By its name, for an agent of before 0.4.2 has another API.
Provider open_agent(const std::string& socket, Log& log) {
    const bool legacy = std::filesystem::path(socket).filename() ==
                        std::filesystem::path(net::tappd_socket).filename();
    log.info("evidence comes from dstack's guest agent at " + socket);
    net::DstackAgentOptions options;
    options.socket = socket;
    options.api = legacy ? attest::DstackApi::legacy : attest::DstackApi::current;
    return std::make_unique<net::DstackAgent>(options);
}

Result<Provider> open_tsm(Log& log) {
    TT_TRY(Provider tsm, net::ConfigfsTsm::open(net::configfs_tsm_folder));
    log.info(std::string("evidence comes from the kernel, ") + net::configfs_tsm_folder);
    return tsm;
}

}  // namespace

void TeeOption::add_to(CLI::App& command) {
    command
        .add_option("--tee", kind,
                    "Whose evidence this node shows: dstack's guest agent, the Linux kernel's "
                    "configfs-tsm, the SIMULATED dev TEE, or the one that is found")
        ->capture_default_str()
        ->check(CLI::IsMember({"auto", "dstack", "tsm", "dev"}))
        ->envname("TEETEE_TEE");
    command.add_option("--dev-tee", dev_seed, "Seed file of a SIMULATED TEE, which is then taken")
        ->envname("TEETEE_DEV_TEE");
    command
        .add_option("--dstack-socket", dstack_socket,
                    std::string("Socket of dstack's guest agent; default: ") + net::dstack_socket +
                        ", else " + net::tappd_socket)
        ->envname("TEETEE_DSTACK_SOCKET");
}

Result<Provider> TeeOption::open(Log& log, UnixSeconds now) const {
    const bool any = kind == "auto";
    if (!any && kind != "dev" && !dev_seed.empty()) {
        return fail(ErrorCode::invalid_argument,
                    "--dev-tee asks for a SIMULATED TEE, --tee " + kind + " for a real one");
    }
    if (kind == "dev" || !dev_seed.empty()) return open_dev(dev_seed, log, now);
    if (kind == "tsm") return open_tsm(log);
    if (!dstack_socket.empty()) return open_agent(dstack_socket, log);
    for (const char* socket : {net::dstack_socket, net::tappd_socket}) {
        if (exists(socket)) return open_agent(socket, log);
    }
    // The question that fails says how to mount it.
    if (kind == "dstack") return open_agent(net::dstack_socket, log);
    if (exists(net::configfs_tsm_folder)) return open_tsm(log);
    return fail(ErrorCode::evidence_unavailable,
                std::string("TEE: have none of ") + net::dstack_socket + " and " +
                    net::tappd_socket + " (mount it into the container) and " +
                    net::configfs_tsm_folder +
                    " (Linux 6.7 or later in a TDX guest), need one; for development name the "
                    "seed file of a SIMULATED TEE with --dev-tee");
}

}  // namespace teetee::cli
