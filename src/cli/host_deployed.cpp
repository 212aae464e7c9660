// SPDX-License-Identifier: Apache-2.0
// The second part of 'teetee host': a node that runs is verified, and registered.
#include <fmt/format.h>

#include "attest/collateral_source.hpp"
#include "attest/peer.hpp"
#include "chain/limits.hpp"
#include "cli/amount_text.hpp"
#include "cli/host_options.hpp"
#include "cli/registration_check.hpp"
#include "crypto/hash.hpp"
#include "net/address.hpp"
#include "net/http_client.hpp"

namespace teetee::cli {
namespace {

constexpr Duration dial_time_max = std::chrono::seconds(15);
/// A registration that ends later than that needs nothing yet.
constexpr uint64_t renew_before_s = 12 * 3600;

/// What it says of itself is signed and quoted: whoever ends the TLS can change nothing of it.
Result<chain::RegistrationFile> fetch_registration(const std::string& named) {
    TT_TRY(const auto url, net::parse_url(named));
    net::HttpClientRequest request;
    request.url = named;
    if (url.target == "/")
        request.url =
            named.substr(0, named.size() - (named.ends_with('/') ? 1 : 0)) + "/registration";
    request.time_max = dial_time_max;
    request.response_bytes_max = chain::registration_file_bytes_max;
    if (url.tls) request.verify_certificate = [](ByteView) -> Result<void> { return {}; };
    const auto answer = net::http_fetch(request);
    if (!answer) {
        Error error = answer.error();
        error.detail = request.url + ": " + error.detail +
                       ": does the node run, and is its port 5001 (--status) published?";
        return error;
    }
    if (answer->status == 404) {
        return fail(ErrorCode::not_ready,
                    request.url +
                        ": the node there signs for no host: it needs --pool and --host "
                        "(TEETEE_POOL, TEETEE_HOST)");
    }
    if (answer->status != 200) {
        return fail(ErrorCode::not_ready, fmt::format("{}: have HTTP status {}, need 200: the "
                                                      "node's log says what it waits for",
                                                      request.url, answer->status));
    }
    auto file = chain::parse_registration_file(answer->body);
    if (!file) return in_context(request.url, std::move(file).error());
    return file;
}

/// As a neighbour judges it.
struct Judge {
    attest::PeerExpectation expectation;
    const attest::Policy& policy;
    attest::CollateralSource& collateral;

    Result<attest::VerifiedPeer> evidence(const chain::RegistrationFile& file) const {
        const auto documents = attest::find_collateral(&collateral, file.quote);
        return attest::verify_evidence({file.statement, file.quote, std::nullopt}, expectation,
                                       policy, SystemClock().unix_now(), documents.get());
    }

    Result<attest::VerifiedPeer> certificate(ByteView der) const {
        TT_TRY(const auto ra, attest::parse_ra_certificate(der));
        const auto documents = attest::find_collateral(&collateral, ra.evidence.quote);
        return attest::verify_peer(der, expectation, policy, SystemClock().unix_now(),
                                   documents.get());
    }
};

/// That the URL that goes to the contract leads to the node with this receipt key. A node shows its
/// certificate to anybody, and talks to nobody without one.
Result<void> dial(const std::string& endpoint, const crypto::Address& receipt_key,
                  const Judge& judge) {
    TT_TRY(const auto address, net::parse_address(endpoint));
    std::optional<Result<attest::VerifiedPeer>> seen;
    net::HttpClientRequest request;
    request.url = "https://" + net::to_string(address) + "/";
    request.connect_time_max = request.time_max = dial_time_max;
    request.verify_certificate = [&](ByteView der) -> Result<void> {
        seen = judge.certificate(der);
        return fail(ErrorCode::cancelled, "all is seen");
    };
    const auto ended = net::http_fetch(request);
    if (!seen) {
        Error error = ended ? fail(ErrorCode::connect_failed, "no answer") : ended.error();
        error.detail = endpoint + ", where other nodes are to reach it: " + error.detail +
                       "; publish port 5010 there or mend TEETEE_ADVERTISE (--no-dial: from here "
                       "it cannot be reached)";
        return error;
    }
    if (!*seen) return in_context(endpoint, seen->error());
    if ((*seen)->statement.receipt_address == receipt_key) return {};
    return fail(ErrorCode::statement_mismatch,
                fmt::format("{}: have the node with receipt key {}, need {}: it is another one's "
                            "address",
                            endpoint, chain::to_checksum_text((*seen)->statement.receipt_address),
                            chain::to_checksum_text(receipt_key)));
}

Result<Judge> judge_for(const chain::RegistrationFile& file, const PoolSight& sight,
                        const SlotTerms& terms, attest::CollateralSource& collateral) {
    const model::ManifestShard& shard = terms.manifest.shards[file.slot];
    return Judge{.expectation = {.chain_id = file.deployment.chain_id,
                                 .contract = file.deployment.contract,
                                 .pool = file.pool,
                                 .model_root = terms.manifest.model_root,
                                 .policy_hash = sight.pool->policy.at(sight.now).hash,
                                 .shards = {{shard.root, shard.layers}}},
                 .policy = terms.policy,
                 .collateral = collateral};
}

Result<void> check_place(const HostOptions& options, const chain::RegistrationFile& file,
                         const PoolSight& sight) {
    if (file.pool != options.pool) {
        return fail(ErrorCode::statement_mismatch,
                    fmt::format("the node serves pool {}, need {}", file.pool, options.pool));
    }
    if (options.slot && *options.slot != file.slot) {
        return fail(ErrorCode::statement_mismatch,
                    fmt::format("the node serves slot {}, need {}", file.slot, *options.slot));
    }
    if (file.slot < sight.pool->slot_layers.size()) return {};
    return fail(ErrorCode::statement_mismatch,
                fmt::format("the node serves slot {}, pool {} has {}", file.slot, file.pool,
                            sight.pool->slot_layers.size()));
}

void tell_nothing_to_do(uint64_t id, const chain::NodeRecord& node, boost::json::object details,
                        Session& session) {
    if (!session.json) {
        print_text(fmt::format("node {} is registered with this evidence already, until {}\n", id,
                               time_text(node.expiry)));
        return;
    }
    details["node"] = id;
    details["pool"] = node.pool;
    details["slot"] = node.slot;
    details["expiry"] = node.expiry;
    details["transaction"] = nullptr;
    print_json(details);
}

}  // namespace

Result<void> register_deployed(const HostOptions& options, Session& session) {
    TT_TRY(auto file, fetch_registration(options.deployed));
    TT_TRY(const auto wallet, Wallet::open(options));
    TT_TRY(const uint64_t now, wallet->chain().time());
    TT_TRY(const auto sight, find_pool(wallet->chain(), options.pool, now));
    TT_CHECK(check_place(options, file, sight));
    const chain::ContractState& state = wallet->chain().state();
    // Before anything is dialled or told: that this is one's own, and nobody has changed its URL.
    TT_TRY(const auto statement,
           check_registration(file, {.deployment = wallet->chain().target().deployment,
                                     .wallet = wallet->account(),
                                     .pool = &*sight.pool,
                                     .is_renewal = true,
                                     .now = now}));
    const SlotFilesOptions files = options.slot_files(file.slot);
    TT_TRY(const auto terms, read_slot_terms(files, *sight.pool, now, file.slot));
    CollateralOption documents = options.collateral;
    // A SIMULATED TEE's lie beside the compose file.
    documents.complete(options.folder(file.slot) + "/.");
    TT_TRY(const auto collateral, CommandCollateral::open(documents, terms.policy.roots));
    TT_TRY(const Judge judge, judge_for(file, sight, terms, *collateral));
    TT_TRY(const auto peer, judge.evidence(file));
    if (!options.no_dial) TT_CHECK(dial(file.endpoint, peer.node_id, judge));
    if (!session.json) {
        print_text(fmt::format("verified: {} serves layers {} to {}{}\n",
                               quote_foreign(file.endpoint), peer.statement.layers.begin,
                               peer.statement.layers.end - 1,
                               peer.simulated ? ", SIMULATED: this protects nothing"
                                              : ", TCB status as the policy "
                                                "asks"));
    }
    const boost::json::object details = {
        {"endpoint", file.endpoint}, {"verified", true}, {"simulated", peer.simulated}};
    const uint64_t id = state.node_id_of_key(statement.receipt_address);
    const chain::NodeRecord* node = state.node(id);
    if (node == nullptr)
        return register_node_of(options.registration, *wallet, std::move(file), details, session);
    const bool is_own =
        node->host == wallet->account() && node->pool == file.pool && node->slot == file.slot;
    const bool is_same = is_own && node->statement_hash == crypto::sha256(file.statement);
    if (is_same && !node->left && node->expiry > now + renew_before_s) {
        tell_nothing_to_do(id, *node, details, session);
        return {};
    }
    return renew_node_of(options.registration, *wallet, std::move(file), details, session);
}

}  // namespace teetee::cli
