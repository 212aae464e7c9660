// SPDX-License-Identifier: Apache-2.0
// What a node is made of; for node.cpp and node_report.cpp alone.
#pragma once

#include "node/driver.hpp"
#include "node/generations.hpp"
#include "node/identity.hpp"
#include "node/node.hpp"
#include "node/node_history.hpp"
#include "node/peer_book.hpp"
#include "node/peers.hpp"
#include "node/renewal.hpp"
#include "pipeline/entry.hpp"
#include "pipeline/stage.hpp"

namespace teetee::node {

struct Node::Impl {
    explicit Impl(const World& w) : world(w) {}

    Result<void> attest_self(const NodeOptions& node_options);
    void keep_attested(UnixSeconds lifetime_s);
    void on_renewed();
    void show_evidence();
    void watch_peers();
    template <class Call>
    void for_each_link(Call call);
    Result<void> load_draft_model(const NodeOptions& options);
    Result<void> connect(const NodeOptions& options);
    void start_machine(const NodeOptions& options);
    Result<Peers::Options> peer_options(const NodeOptions& options) const;
    template <class Call>
    auto with_driver(Call call);
    void attach(std::shared_ptr<net::Link> link, bool is_ours);
    attest::Load load() const;
    void plan_routes();
    void bar_unregistered(const std::vector<pipeline::KnownNode>& known);
    bool is_idle() const;
    void await_idle(Instant since);
    attest::PeerExpectation expect_peers() const;
    void ask_to_sign(const billing::SignOffAsks& asks,
                     std::function<void(SettlementSignatures)> done);
    void on_outcome(pipeline::SignOffOutcome outcome);
    /// node_report.cpp.
    NodeReport::Stage report_stage() const;
    std::vector<NodeReport::Peer> report_peers();
    std::optional<UnixSeconds> collateral_end(ByteView quote) const;
    /// network_sight.cpp.
    void look_at_nodes();
    void look_at_new_nodes();

    World world;
    PolicyFile policy;
    ServedShard shard;
    std::optional<Identity> identity;
    /// Since the first quote, which the node cannot start without.
    std::unique_ptr<QuoteThread> quotes;
    std::unique_ptr<Renewal> renewal;
    std::function<void()> on_statement_ending;
    std::function<void()> on_new_statement;
    std::string url;
    std::string listen_host;
    std::function<void()> on_drained;
    net::Timer drain_timer;
    std::optional<net::TlsContext> link_tls;
    std::optional<net::TlsContext> server_tls;
    std::unique_ptr<PeerAuthenticator> authenticator;
    std::unique_ptr<DraftModel> draft_model;
    // The machine before its links: they call into it until they are gone.
    std::unique_ptr<Driver<pipeline::Entry>> entry;
    std::unique_ptr<Generations> generations;
    std::unique_ptr<Driver<pipeline::Stage>> stage;
    /// Settlements that wait for signatures, by their orders.
    struct Signing {
        /// Of those that could not be asked.
        SettlementSignatures signatures;
        std::function<void(SettlementSignatures)> done;
    };
    std::map<uint64_t, Signing> signings;
    uint64_t next_signing = 1;
    std::unique_ptr<Peers> peers;
    PeerBook peer_book;
    net::LinkMeter link_meter;
    /// Of an entry.
    NodeHistory history;
    Instant next_look{};
    /// When one that is new may be looked at before.
    Instant next_early_look{};
    std::string api_url;
    std::string api_tls_url;
    /// Of the canonical manifest.
    std::string manifest_text;
    /// Layers of the nodes that are known, or on a route; the registry's reasons against some.
    std::map<wire::NodeId, LayerRange> members;
    std::map<wire::NodeId, Error> barred;
    Duration recheck_interval{};
    Instant next_recheck{};
    uint64_t collateral_version = 0;
    net::Timer watch_timer;
};

template <class Call>
auto Node::Impl::with_driver(Call call) {
    return entry ? call(*entry) : call(*stage);
}

template <class Call>
void Node::Impl::for_each_link(Call call) {
    with_driver([&](auto& driver) { driver.for_each_link(call); });
}

}  // namespace teetee::node
