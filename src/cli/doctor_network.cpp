// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "cli/doctor_setup.hpp"
#include "net/http_client.hpp"
#include "node/registry_file.hpp"

namespace teetee::cli {
namespace {

struct Peer {
    std::string url;
    /// The option that names it.
    std::string option;
};

/// As its neighbours will judge it; nullopt where policy or manifest lack.
std::optional<attest::PeerExpectation> expectation_of(const DoctorSetup& setup) {
    if (!setup.policy || !setup.manifest) return std::nullopt;
    attest::PeerExpectation out = {.pool = setup.options.chain.pool,
                                   .model_root = setup.manifest->model_root,
                                   .policy_hash = setup.policy->hash,
                                   .shards = {}};
    if (setup.options.chain.is_used()) {
        const auto target = setup.options.chain.chain.resolve();
        if (!target) return std::nullopt;
        out.chain_id = target->deployment.chain_id;
        out.contract = target->deployment.contract;
    }
    for (const model::ManifestShard& shard : setup.manifest->shards)
        out.shards.push_back({.shard_root = shard.root, .layers = shard.layers});
    return out;
}

/// False where there is nothing to judge it by.
Result<bool> judge_certificate(ByteView der, DoctorSetup& setup) {
    TT_TRY(const auto certificate, attest::parse_ra_certificate(der));
    const auto expectation = expectation_of(setup);
    if (!expectation) return false;
    const auto collateral =
        attest::find_collateral(setup.collateral.get(), certificate.evidence.quote);
    TT_CHECK(attest::verify_peer(der, *expectation, setup.policy->policy, setup.clock.unix_now(),
                                 collateral.get()));
    return true;
}

void check_peer(const Peer& peer, DoctorSetup& setup, DoctorFindings& findings) {
    const auto address = net::parse_address(peer.url);
    if (!address) {
        return findings.problem({.cause = peer.option + " " + address.error().message(),
                                 .fix = peer.option + " tls://HOST:PORT"});
    }
    const std::string name = net::to_string(*address);
    // The certificate is all that is wanted; nothing is asked.
    std::optional<Result<bool>> verdict;
    net::HttpClientRequest request = {.url = "https://" + name + "/",
                                      .time_max = std::chrono::seconds(10)};
    request.verify_certificate = [&](ByteView der) -> Result<void> {
        verdict = judge_certificate(der, setup);
        return fail(ErrorCode::cancelled, "");
    };
    const auto reached = net::http_fetch(request);
    if (verdict && *verdict && **verdict)
        return findings.ok(name + " is there, and its evidence is accepted");
    if (verdict && *verdict) {
        return findings.warn(
            {.cause = name + " is a node; not judged for want of policy, manifest or contract",
             .fix = "--policy FILE and --manifest FILE, and of a pool --deployment FILE, that can "
                    "be read"});
    }
    if (verdict) {
        return findings.problem(
            {.cause = name + " shows evidence that is refused: " + verdict->error().message(),
             .fix = "have all hosts of the pool use the same policy, manifest and contract; "
                    "curl -v telnet://" +
                    name + " shows whether it is the right machine"});
    }
    const ErrorCode code = reached.error().code;
    const bool no_tls = code == ErrorCode::tls_failed || code == ErrorCode::connection_closed;
    findings.problem(
        {.cause = name + (no_tls ? " answers, but is no node: " : " cannot be reached: ") +
                  reached.error().message(),
         .fix = no_tls ? "the port of a node's --listen, not of its --api"
                       : fmt::format("nc -vz {} {}; start that node, or let its port through the "
                                     "firewall",
                                     address->host, address->port)});
}

}  // namespace

void check_peers(DoctorSetup& setup, DoctorFindings& findings) {
    std::vector<Peer> peers;
    for (const std::string& url : setup.options.next) peers.push_back({url, "--next"});
    if (const std::string& path = setup.options.registry_path; !path.empty()) {
        const auto nodes = node::RegistryFile(path).nodes();
        if (!nodes) {
            findings.problem({.cause = "--registry " + nodes.error().message(),
                              .fix = "[{\"url\": \"tls://HOST:PORT\"}, ..] in " + path});
        } else {
            for (const RegistryEntry& entry : *nodes) peers.push_back({entry.url, "--registry"});
        }
    }
    const auto own = net::parse_address(setup.options.node.url.empty() ? setup.options.listen
                                                                       : setup.options.node.url);
    std::erase_if(peers, [&](const Peer& peer) {
        const auto address = net::parse_address(peer.url);
        return own && address && *address == *own;
    });
    const bool needs_peers = setup.manifest && setup.manifest->shards.size() > 1;
    if (peers.empty() && needs_peers && !setup.options.chain.is_used()) {
        findings.problem({.cause = fmt::format("the model has {} shards, and no other node is "
                                               "named",
                                               setup.manifest->shards.size()),
                          .fix = "--next tls://HOST:PORT of a node of another shard, or --registry "
                                 "FILE, or --pool N"});
    }
    for (const Peer& peer : peers) check_peer(peer, setup, findings);
}

void check_entry(DoctorSetup& setup, DoctorFindings& findings) {
    if (!setup.has_running_node || !setup.may_be_entry()) return;
    auto address = net::parse_address(setup.options.api);
    if (!address) return;
    if (address->host == "0.0.0.0") address->host = "127.0.0.1";
    if (address->host == "::") address->host = "::1";
    const std::string url = "http://" + net::to_string(*address) + "/health";
    const auto response = net::http_fetch({.url = url, .time_max = std::chrono::seconds(10)});
    if (response && response->status == 200) return findings.ok(url + ": it serves");
    findings.problem(
        {.cause = response ? fmt::format("{} says {}: {}", url, response->status,
                                         quote_foreign(response->body))
                           : url + ": " + response.error().message(),
         .fix = "the node's log says what it waits for: journalctl -u teetee-node -e"});
}

}  // namespace teetee::cli
