// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "attest/intel.hpp"
#include "attest/limits.hpp"
#include "cli/doctor_judgement.hpp"
#include "cli/doctor_setup.hpp"
#include "net/configfs_tsm.hpp"
#include "net/dstack_agent.hpp"

namespace teetee::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* mount_socket =
    "mount it into the container, in docker-compose.yaml: volumes: "
    "[/var/run/dstack.sock:/var/run/dstack.sock]";

bool exists(const std::string& path) {
    std::error_code failed;
    return fs::exists(path, failed);
}

/// The socket that TeeOption::open takes.
std::string socket_of(const TeeOption& tee) {
    if (!tee.dstack_socket.empty()) return tee.dstack_socket;
    return exists(net::tappd_socket) && !exists(net::dstack_socket) ? net::tappd_socket
                                                                    : net::dstack_socket;
}

std::string fix_socket(const std::string& path) {
    struct stat state {};
    if (::stat(path.c_str(), &state) != 0) return mount_socket;
    if (!S_ISSOCK(state.st_mode))
        return path + " is no socket: remove what lies there and " + mount_socket;
    if (::access(path.c_str(), R_OK | W_OK) != 0)
        return fmt::format("run as its owner, or: setfacl -m u:{}:rw {}", ::getuid(), path);
    return "see that dstack's guest agent runs behind " + path +
           ": systemctl status dstack-guest-agent";
}

std::string fix_tsm() {
    if (!exists(net::configfs_tsm_folder)) {
        return "mount -t configfs none /sys/kernel/config; modprobe tdx_guest; it takes Linux 6.7 "
               "in a TDX guest";
    }
    if (::access(net::configfs_tsm_folder, W_OK) != 0)
        return fmt::format("run as root, or give this user {}", net::configfs_tsm_folder);
    return "modprobe tdx_guest, in a TDX guest";
}

std::string fix_tee(const TeeOption& tee) {
    if (tee.kind == "dev" || !tee.dev_seed.empty())
        return "--dev-tee FILE, the seed that 'teetee up --prepare-only' makes";
    if (tee.kind == "tsm") return fix_tsm();
    if (tee.kind == "dstack" || !tee.dstack_socket.empty() || exists(socket_of(tee)))
        return fix_socket(socket_of(tee));
    if (exists(net::configfs_tsm_folder)) return fix_tsm();
    return std::string("run inside a TDX guest and ") + mount_socket +
           "; for development: --dev-tee FILE";
}

/// Whether anything that speaks HTTP is there.
Result<void> reach(const net::PcsClient& service, const CollateralOption& option) {
    net::HttpClientRequest request = {
        .url = service.url(), .time_max = std::chrono::seconds(10), .response_bytes_max = 1u << 20};
    if (service.url().starts_with("https:")) request.web_pki = net::WebPki{option.ca_file};
    TT_CHECK(net::http_fetch(request));
    return {};
}

/// Each file of the folder, as it would be judged now.
void judge_files(const std::string& folder, const DoctorSetup& setup, bool has_service,
                 DoctorFindings& findings) {
    const attest::TrustedRoots& roots = setup.policy->policy.roots;
    const UnixSeconds now = setup.clock.unix_now();
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
        if (entry.path().extension() != ".json") continue;
        const std::string path = entry.path().string();
        const auto text = net::read_file(path, attest::collateral_bytes_max);
        const auto parsed = text ? attest::parse_collateral(as_text(*text))
                                 : Result<attest::Collateral>(text.error());
        const auto verified = parsed ? attest::verify_collateral(*parsed, roots, now)
                                     : Result<attest::VerifiedCollateral>(parsed.error());
        if (verified) {
            DoctorFinding judged = judge_expiry(path, verified->expires(), now);
            if (judged.finding != Finding::ok)
                judged.fix = "teetee attest collateral --quote FILE --out " + path;
            findings.add(std::move(judged));
            continue;
        }
        DoctorFindings::Trouble trouble = {
            .cause = path + ": " + verified.error().message(),
            .fix = "teetee attest collateral --quote FILE --out " + path +
                   " (of a dev TEE: --dev-tee SEED in place of --quote)"};
        if (has_service) {
            findings.warn(std::move(trouble));
        } else {
            findings.problem(std::move(trouble));
        }
    }
    if (failed)
        findings.problem({.cause = folder + ": " + failed.message(), .fix = "--collateral DIR"});
}

}  // namespace

void check_tee(DoctorSetup& setup, DoctorFindings& findings) {
    const TeeOption& option = setup.options.tee;
    auto tee = option.open(setup.log, setup.clock.unix_now());
    // A provider that opens may still have nobody behind it.
    const auto quote = tee ? (*tee)->quote(ByteArray<64>{}) : Result<Bytes>(tee.error());
    if (!quote) {
        DoctorFindings::Trouble trouble = {.cause = quote.error().message(),
                                           .fix = fix_tee(option)};
        if (setup.is_bare()) return findings.warn(std::move(trouble));
        return findings.problem(std::move(trouble));
    }
    setup.tee = std::move(*tee);
    if (!setup.tee->simulated()) return findings.ok("it makes quotes");
    findings.warn({.cause = "SIMULATED, for development only: it protects nothing",
                   .fix = "for anything else: run in a TDX guest, without --dev-tee"});
}

void check_collateral(DoctorSetup& setup, DoctorFindings& findings) {
    if (!setup.policy) return;
    const attest::Policy& policy = setup.policy->policy;
    CollateralOption option = setup.options.collateral;
    const auto services = option.open_services(policy.roots);
    if (!services) {
        return findings.problem(
            {.cause = services.error().message(),
             .fix = std::string("--pccs ") + std::string(attest::intel_pcs_url)});
    }
    std::vector<std::string> reachable;
    for (const net::PcsClient& service : *services) {
        const auto reached = reach(service, option);
        if (reached) {
            reachable.push_back(service.url());
            findings.ok(service.url() + " answers");
            continue;
        }
        DoctorFindings::Trouble trouble = {
            .cause = service.url() + ": " + reached.error().message(),
            .fix = "curl -v " + service.url() +
                   "; let it through the firewall, or name a mirror "
                   "with --pccs URL"};
        findings.problem(std::move(trouble));
    }
    if (!option.folder.empty()) judge_files(option.folder, setup, !reachable.empty(), findings);
    if (services->empty() && option.folder.empty() && policy.require_collateral) {
        findings.problem({.cause = "the policy demands collateral, and there is neither a folder "
                                   "nor a service",
                          .fix = std::string("--collateral DIR or --pccs ") +
                                 std::string(attest::intel_pcs_url)});
    }
    // Those that do not answer would only be waited for.
    option.services = reachable.empty() ? std::vector<std::string>{"none"} : reachable;
    auto collateral = CommandCollateral::open(option, policy.roots);
    if (collateral) setup.collateral = std::move(*collateral);
}

void check_evidence(DoctorSetup& setup, DoctorFindings& findings) {
    if (!setup.policy || !setup.tee) return;
    const auto quote = setup.tee->quote(ByteArray<64>{});
    if (!quote) {
        return findings.problem(
            {.cause = quote.error().message(), .fix = fix_tee(setup.options.tee)});
    }
    const auto collateral = attest::find_collateral(setup.collateral.get(), *quote);
    const attest::Verdict verdict =
        attest::verify(attest::QuoteEvidence{.quote = *quote, .collateral = collateral.get()},
                       setup.policy->policy, setup.clock.unix_now());
    if (verdict.accepted()) return findings.ok("the policy accepts this machine's own");
    std::string fix = "take the pool's policy, or run the measured image that it names";
    const ErrorCode code = verdict.error->code;
    if (code == ErrorCode::root_untrusted || code == ErrorCode::simulated_rejected) {
        fix = setup.tee->simulated()
                  ? "a policy of the same dev TEE, as 'teetee up --prepare-only' makes it, or a "
                    "real TEE without --dev-tee"
                  : "a policy that trusts Intel's root";
    } else if (code == ErrorCode::collateral_missing || code == ErrorCode::collateral_expired) {
        fix = "--collateral DIR with this platform's, or --pccs URL that can be reached";
    } else if (code == ErrorCode::tcb_status_rejected) {
        fix = "have the host's firmware updated, or set grace_days in the policy";
    }
    findings.problem(
        {.cause = "peers with this policy refuse this machine: " + verdict.error->message(),
         .fix = fix});
}

}  // namespace teetee::cli
