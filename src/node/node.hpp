// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "attest/advert.hpp"
#include "attest/collateral_source.hpp"
#include "attest/evidence.hpp"
#include "attest/receipt.hpp"
#include "attest/statement.hpp"
#include "base/activations.hpp"
#include "base/registry.hpp"
#include "billing/sign_off.hpp"
#include "crypto/x25519.hpp"
#include "model/tokenizer.hpp"
#include "net/address.hpp"
#include "net/link.hpp"
#include "net/loop.hpp"
#include "net/tls.hpp"
#include "node/draft_model.hpp"
#include "node/generations.hpp"
#include "node/network_sight.hpp"
#include "node/node_report.hpp"
#include "node/policy_file.hpp"
#include "node/served_shard.hpp"
#include "pipeline/counters.hpp"

namespace teetee::node {

struct NodeOptions {
    ShardOptions shard;
    /// What other nodes' evidence is held against.
    PolicyFile policy;
    /// Where this node's work is settled, and its pool there; all zero: nowhere. Its statement, and
    /// whatever its receipt key signs, name them.
    chain::Deployment deployment{};
    uint64_t pool = 0;
    /// See load_sealed_key; empty: a new key with every start.
    std::string receipt_key_path{};
    /// Where other nodes' links come in.
    net::Address listen;
    /// Whom to dial first, besides those of World::registry; gossip tells of the others.
    std::vector<RegistryEntry> registry;
    /// How late a change of World::registry may be noticed.
    Duration registry_interval = std::chrono::seconds(2);
    /// What other nodes are told to dial; empty: what is listened on.
    std::string url;
    /// Entry: where clients are told to ask, and where with the attested certificate; or empty.
    std::string api_url;
    std::string api_tls_url;
    /// Entry: how long an answer whose route was lost waits for another one.
    Duration reroute_timeout = std::chrono::seconds(10);
    uint32_t requests_queued_max = 256;
    /// Of a request to the entry, whatever it asks for; 0: no limit.
    Duration request_time_max{};
    /// Entry: see pipeline::EntryOptions.
    uint32_t drafts_max = 16;
    ActivationFormat activations = ActivationFormat::f32;
    /// Entry: a model that guesses tokens; its kernel is the shard's.
    DraftModelOptions draft_model;
    /// See pipeline::EntryOptions and StageOptions.
    uint64_t replay_bytes_max = uint64_t{64} << 20;
    /// How long this node's statement and certificate are valid; at most a week, and no less than
    /// four seconds: they are renewed at half of that, and peers take more for a flood.
    UnixSeconds statement_lifetime_s = 24 * 3600;
    /// How often the evidence of linked nodes is judged anew; new collateral is noticed within a
    /// second.
    Duration recheck_interval = std::chrono::seconds(30);
    net::LinkOptions links;
};

struct NodeStatus {
    /// Every layer is served, and this node takes requests.
    bool ready = false;
    /// It takes no more, and is about to end.
    bool is_draining = false;
    /// Those that are ready, each from the entry to the tail.
    std::vector<std::vector<RouteNode>> routes;
    /// Nodes, this one maybe among them, that the registry does not admit, and why: no prompts go
    /// to them.
    struct Unregistered {
        wire::NodeId node_id{};
        std::string why;
    };
    std::vector<Unregistered> unregistered;
    /// Of the first one.
    Duration round_trip{};
    size_t active_count = 0;
    size_t queued_count = 0;
    pipeline::Counters counters;
    /// Of the entry's KV cache.
    uint64_t kv_positions = 0;
    uint64_t kv_positions_free = 0;
    size_t prefix_pages = 0;
    /// Fresh quotes of stages that receipts were to have and have not.
    uint64_t fresh_quotes_missing = 0;
};

/// A running node: one shard, verified against the manifest byte by byte before anything listens;
/// links to its neighbours; on layer 0 the entry as well. Lives on the loop's thread.
class Node {
  public:
    struct World {
        net::Loop& loop;
        const Clock& clock;
        Rng& rng;
        Log& log;
        /// Makes the quotes of this node's TEE.
        attest::EvidenceProvider& evidence;
        /// For the platforms of its neighbours; null: nowhere.
        attest::CollateralSource* collateral = nullptr;
        /// Whose list may change as time goes on; null: none.
        Registry* registry = nullptr;
    };

    /// Reads, verifies, loads, attests, listens, dials. Errors say which step failed and what it
    /// needs. What `world` refers to MUST outlive the node.
    static Result<std::unique_ptr<Node>> start(const World& world, const NodeOptions& options);
    ~Node();

    net::Loop& loop() const;
    bool is_entry() const;
    uint16_t link_port() const;
    LayerRange layers() const;
    /// general.name as an identifier: lower case, words joined by '-'.
    const std::string& model_id() const;
    /// The current one, here and below; another takes its place as time goes on.
    const attest::Statement& statement() const;
    ByteView statement_bytes() const;
    /// Whether this is the SHA-256 of this node's statement, or of the one before while it lasts.
    bool has_statement(const Digest& hash) const;
    /// The private part of the statement's HPKE key.
    const crypto::X25519Key& hpke_key() const;
    using OnEvidence = std::function<void(Result<attest::Evidence>)>;
    /// This node's statement, and a quote over it and a caller's nonce, made now. Calls back once,
    /// later, unless the node ends before. Errors: overloaded, evidence_unavailable.
    void quote_for(ByteView nonce, OnEvidence done);
    bool simulated() const;
    /// For a server whose clients verify the evidence in its certificate, the current one.
    const net::TlsContext& server_tls() const;
    /// Called once the statement is about to end and could not be renewed: its peers will refuse
    /// this node.
    void on_statement_ending(std::function<void()> callback);

    /// Called whenever another statement has taken the place of the one before.
    void on_new_statement(std::function<void()> callback);

    /// The current statement, and the quote over it.
    attest::Evidence evidence() const;
    /// Of the shard among those of its model.
    size_t slot() const;
    /// Where other nodes link, as they are told.
    std::string url() const;
    /// With the receipt key, under the statement's chain and contract.
    crypto::RecoverableSignature sign_registration(const chain::RegistrationTerms& terms) const;

    /// Entry or not; see NodeReport.
    NodeReport report() const;

    /// Tells the others that this node is about to end, takes no further requests, and calls back
    /// once when it has nothing left to compute; how long to wait for that is the caller's to say.
    void drain(std::function<void()> done);

    /// Of the policy file that others are held against: what the statement's hash is of.
    const std::string& policy_text() const;
    /// The canonical manifest, whose model root is the statement's.
    const std::string& manifest_text() const;
    /// Of the model, by slots.
    std::vector<LayerRange> shard_layers() const;

    // Entry only.

    /// Of this node and of those on routes that are ready. For those of them that there is no
    /// collateral for, it is looked for.
    std::vector<attest::PlatformId> platforms() const;
    /// All nodes that this one has heard of, itself among them, with at most so many spans of
    /// history of each.
    std::vector<NodeSight> network(size_t spans_max) const;

    const model::Tokenizer& tokenizer() const;
    /// Prompt and answer together; the KV cache may be smaller than the model's context.
    Position context_length() const;
    /// Numbers in the embedding of a prompt.
    uint32_t embedding_length() const;
    /// How rows between its shards travel; f32 where there is one shard.
    ActivationFormat activations() const;
    /// A longer text has more tokens than that, so there is no need to tokenise it.
    size_t prompt_bytes_max() const;
    /// Errors: of pipeline::Entry::submit.
    Result<RequestId> generate(Generation generation, GenerationEvents events);
    /// Entry: when one that was refused may find room; from 1 s to a minute.
    std::chrono::seconds retry_after() const;
    /// Ends a request without a further event; what it has used. Error: request_unknown.
    Result<pipeline::Usage> cancel(const RequestId& request);
    NodeStatus status() const;
    /// What the nodes that clients may ask say of themselves, this one first if it is one. Nobody
    /// has verified any evidence for it.
    std::vector<attest::Advert> entries() const;
    /// With this node's receipt key.
    void sign(attest::Receipt& receipt) const;
    /// Has every stage of a signed receipt make a fresh quote for it, and signs them. `done` is
    /// called once, with the quotes or why there are none in place; within some seconds, however
    /// the stages fare.
    void add_fresh_quotes(attest::Receipt receipt, std::function<void(attest::Receipt)> done);
    using SettlementSignatures = std::map<crypto::Address, Result<crypto::RecoverableSignature>>;
    /// Has every signer of a settlement sign its batch, this node as well: the others are asked
    /// over routes of this entry that are ready. `done` is called once, maybe before this returns
    /// and within some seconds: by receipt key a signature of settlement_digest under this node's
    /// statement, or why there is none. Errors: of billing::sign_off and SignOffAsks::encode;
    /// route_unavailable (the node is on no route, or its route was lost), stage_timeout,
    /// overloaded, signature_invalid.
    void ask_to_sign(const billing::SignOffAsks& asks,
                     std::function<void(SettlementSignatures)> done);

  private:
    struct Impl;
    explicit Node(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace teetee::node
