// SPDX-License-Identifier: Apache-2.0
#include "node/node.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "crypto/hash.hpp"
#include "node/node_impl.hpp"
#include "pipeline/router.hpp"
#include "wire/limits.hpp"

namespace teetee::node {
namespace {

/// A node that drains looks that often whether it is idle. Others may send it requests until they
/// have heard of it: it must have been idle for so long.
constexpr Duration idle_interval = std::chrono::milliseconds(50);
constexpr Duration idle_time = std::chrono::milliseconds(250);

/// How late a change of the collateral may be noticed.
constexpr Duration watch_interval_max = std::chrono::seconds(1);

static_assert(billing::sign_off_bytes_max <= wire::Limits{}.sign_off_bytes_max);

}  // namespace

Result<void> Node::Impl::attest_self(const NodeOptions& node_options) {
    IdentityOptions options;
    options.model_root = shard.manifest.model_root;
    options.shard_root = shard.manifest.shards[shard.index].root;
    options.layers = shard.layers;
    options.deployment = node_options.deployment;
    options.pool = node_options.pool;
    options.receipt_key_path = node_options.receipt_key_path;
    options.policy_hash = policy.hash;
    options.now = world.clock.unix_now();
    options.lifetime_s = node_options.statement_lifetime_s;
    TT_TRY(identity, make_identity(options, world.evidence, world.rng));
    quotes = std::make_unique<QuoteThread>(world.loop, world.evidence);
    TT_TRY(link_tls, net::TlsContext::build_mutual(identity->tls));
    TT_TRY(server_tls, net::TlsContext::build_server(identity->tls));
    return {};
}

void Node::Impl::keep_attested(UnixSeconds lifetime_s) {
    Renewal::Options options;
    options.lifetime_s = lifetime_s;
    options.watch_interval = std::min(recheck_interval, options.watch_interval);
    options.on_renewed = [this] { on_renewed(); };
    options.on_ending = [this] {
        if (on_statement_ending) on_statement_ending();
    };
    renewal = std::make_unique<Renewal>(
        Renewal::World{world.loop, world.clock, world.rng, world.log, *quotes}, *identity,
        std::move(options));
}

void Node::Impl::on_renewed() {
    for (const net::TlsContext& tls : {*link_tls, *server_tls}) {
        if (auto shown = tls.show(identity->tls); !shown)
            world.log.error("TLS goes on with the old certificate: " + shown.error().message());
    }
    show_evidence();
    for_each_link([this](net::Link& link) { link.renew(identity->tls.certificate_der); });
    if (on_new_statement) on_new_statement();
}

/// To the other nodes and to clients, who verify the whole route.
void Node::Impl::show_evidence() {
    if (entry) {
        entry->machine().set_evidence(identity->statement_bytes, identity->quote);
    } else {
        stage->machine().set_evidence(identity->statement_bytes, identity->quote);
    }
}

/// A verdict does not outlive its evidence, nor what Intel says of the platform.
void Node::Impl::watch_peers() {
    const uint64_t version = world.collateral == nullptr ? 0 : world.collateral->version();
    const Instant now = world.clock.now();
    if (version != collateral_version || now >= next_recheck) {
        collateral_version = version;
        next_recheck = now + recheck_interval;
        for_each_link([](net::Link& link) { link.recheck(); });
        // Those that are not linked to the entry renew their evidence as well.
        if (entry) entry->machine().refresh_evidence();
    }
    look_at_nodes();
    // Alone there is nobody whose coming and going would have routes planned.
    if (!peers) plan_routes();
    watch_timer = world.loop.call_after(std::min(recheck_interval, watch_interval_max),
                                        [this] { watch_peers(); });
}

/// Any node of the model: who is of use as a neighbour is for the routes to decide.
attest::PeerExpectation Node::Impl::expect_peers() const {
    attest::PeerExpectation expectation;
    expectation.model_root = shard.manifest.model_root;
    expectation.policy_hash = policy.hash;
    expectation.chain_id = identity->statement.chain_id;
    expectation.contract = identity->statement.contract;
    expectation.pool = identity->statement.pool;
    for (const model::ManifestShard& one : shard.manifest.shards)
        expectation.shards.push_back({one.root, one.layers});
    return expectation;
}

Result<void> Node::Impl::load_draft_model(const NodeOptions& options) {
    DraftModelOptions draft_options = options.draft_model;
    if (draft_options.path.empty()) return {};
    if (shard.layers.begin != 0) {
        return fail(ErrorCode::config_invalid, "draft model: have a shard from layer " +
                                                   std::to_string(shard.layers.begin) +
                                                   ", need an entry, which has layer 0");
    }
    draft_options.kernel = options.shard.kernel;
    TT_TRY(draft_model, DraftModel::load(draft_options, shard.tokenizer->vocabulary()));
    world.log.info("draft model: " + draft_options.path + ", KV cache of " +
                   std::to_string(draft_model->positions_free()) + " positions");
    return {};
}

void Node::Impl::start_machine(const NodeOptions& options) {
    const auto signer =
        std::make_shared<attest::RecordSigner>(identity->receipt_key, identity->statement);
    // Its own copy of the statement: the current one changes on another thread.
    const auto sign_off = [&key = identity->receipt_key, statement = identity->statement](
                              ByteView ask) { return billing::sign_off(key, statement, ask); };
    if (shard.layers.begin == 0) {
        pipeline::EntryOptions entry_options;
        entry_options.node_id = identity->receipt_key.address();
        entry_options.engine = shard.engine->limits();
        entry_options.queued_max = options.requests_queued_max;
        ByteArray<8> random;
        world.rng.fill(random);
        // Room for as many ids as there can be pages, and not 0.
        entry_options.first_prefix = 1 + (ByteReader(random).read_u64().value_or(0) >> 1);
        entry_options.reroute_timeout = options.reroute_timeout;
        entry_options.drafts_max = options.drafts_max;
        entry_options.has_draft_model = draft_model != nullptr;
        entry_options.replay_bytes_max = options.replay_bytes_max;
        entry_options.activations = options.activations;
        entry_options.records.signer = signer;
        for (const model::ManifestShard& one : shard.manifest.shards)
            entry_options.records.shard_roots[one.layers] = one.root;
        entry = std::make_unique<Driver<pipeline::Entry>>(
            Driver<pipeline::Entry>::World{entry_options.node_id, world.loop, world.clock,
                                           world.log, *shard.engine, *quotes, sign_off,
                                           draft_model.get()},
            pipeline::Entry(entry_options),
            [this](const pipeline::ClientEvent& event) { generations->on_event(event); });
        generations = std::make_unique<Generations>(Generations::World{
            *entry, *identity, shard.stop_tokens, world.rng, world.evidence.simulated(),
            options.request_time_max, [this](const pipeline::Path& path, uint64_t tokens) {
                look_at_new_nodes();
                for (const wire::NodeId& node : path)
                    history.on_tokens(world.clock.unix_now(), node, tokens);
            }});
        entry->on_outcome(
            [this](pipeline::SignOffOutcome outcome) { on_outcome(std::move(outcome)); });
        return;
    }
    pipeline::StageOptions stage_options;
    stage_options.node_id = identity->receipt_key.address();
    stage_options.engine = shard.engine->limits();
    stage_options.signer = signer;
    stage_options.replay_bytes_max = options.replay_bytes_max;
    stage = std::make_unique<Driver<pipeline::Stage>>(
        Driver<pipeline::Stage>::World{stage_options.node_id, world.loop, world.clock, world.log,
                                       *shard.engine, *quotes, sign_off},
        pipeline::Stage(stage_options));
}

void Node::Impl::attach(std::shared_ptr<net::Link> link, bool is_ours) {
    world.log.info("linked: " + link->peer().description);
    with_driver([&](auto& driver) {
        using Made = typename std::remove_reference_t<decltype(driver)>::Made;
        driver.attach(std::move(link), is_ours ? Made::by_us : Made::by_peer);
    });
}

Result<Peers::Options> Node::Impl::peer_options(const NodeOptions& options) const {
    if (shard.manifest.shards.size() > wire::Limits{}.hops_max) {
        return fail(ErrorCode::config_invalid,
                    "have " + std::to_string(shard.manifest.shards.size()) +
                        " shards, a route has at most " + std::to_string(wire::Limits{}.hops_max));
    }
    Peers::Options out;
    out.directory.node_id = identity->receipt_key.address();
    out.directory.model_root = shard.manifest.model_root;
    out.directory.layers = shard.layers;
    out.directory.layer_count = shard.engine->limits().layer_count;
    out.directory.sign = [this](const attest::Advert& advert) {
        return attest::sign_advert(identity->receipt_key, advert);
    };
    out.registry = options.registry;
    out.registry_interval = options.registry_interval;
    out.listen = options.listen;
    out.url = options.url;
    out.api_url = options.api_url;
    out.api_tls_url = options.api_tls_url;
    return out;
}

Result<void> Node::Impl::connect(const NodeOptions& options) {
    if (shard.manifest.shards.size() == 1) {
        entry->act([&](pipeline::Entry& machine, Instant now, pipeline::Effects& effects) {
            machine.add_route(now, {identity->receipt_key.address()}, effects);
        });
        return {};
    }
    TT_TRY(auto own, peer_options(options));
    authenticator = std::make_unique<PeerAuthenticator>(*identity, policy.policy, expect_peers(),
                                                        world.clock, world.collateral);
    with_driver([this](auto& driver) {
        driver.on_peer({.up =
                            [this](const net::Link& link) {
                                peer_book.on_up(world.clock.now(), link.peer());
                                peers->on_link_up(link.peer().node_id);
                            },
                        .down = [this](const wire::NodeId& peer) { peers->on_link_down(peer); },
                        .adverts =
                            [this](const wire::NodeId& from, wire::Adverts adverts) {
                                peers->on_adverts(from, std::move(adverts));
                            },
                        .ended =
                            [this](const net::Link& link, std::optional<ErrorCode> why) {
                                peer_book.on_ended(world.clock.now(), link.peer(), link.traffic(),
                                                   why);
                            },
                        .suspect = [this](const wire::NodeId& node) { peers->suspect(node); }});
    });
    Peers::Hooks hooks;
    hooks.on_dialled = [this](std::shared_ptr<net::Link> link) { attach(std::move(link), true); };
    hooks.on_accepted = [this](std::shared_ptr<net::Link> link) { attach(std::move(link), false); };
    hooks.send = [this](const wire::NodeId& to, const wire::Frame& frame) {
        with_driver([&](auto& driver) { driver.send(to, frame); });
    };
    hooks.on_change = [this] { plan_routes(); };
    hooks.load = [this] { return load(); };
    TT_TRY(peers, Peers::start({world.loop, world.clock, world.log, world.registry},
                               {world.loop, *link_tls, *authenticator, world.log, options.links,
                                &link_meter},
                               std::move(own), std::move(hooks)));
    return {};
}

attest::Load Node::Impl::load() const {
    const pipeline::KvAmount free = entry ? entry->machine().kv_free() : stage->machine().kv_free();
    return {.sequences_free = static_cast<uint32_t>(free.sequences),
            .positions_free = free.positions};
}

void Node::Impl::plan_routes() {
    if (!entry) return;
    const auto known = peers ? peers->nodes() : std::vector<pipeline::KnownNode>();
    bar_unregistered(known);
    if (!peers) return;
    entry->act([&](pipeline::Entry& machine, Instant now, pipeline::Effects& effects) {
        machine.use_nodes(now, pipeline::router_nodes(known), effects);
    });
}

/// For work of nodes that the registry does not admit nobody could be paid.
void Node::Impl::bar_unregistered(const std::vector<pipeline::KnownNode>& known) {
    if (world.registry == nullptr) return;
    std::map<wire::NodeId, LayerRange> now_there = {
        {identity->receipt_key.address(), shard.layers}};
    for (const pipeline::KnownNode& node : known)
        now_there[node.advert.node_id] = node.advert.layers;
    for (const pipeline::Route* route : entry->machine().routes()) {
        for (const wire::NodeId& id : route->path()) {
            const auto found = members.find(id);
            if (found != members.end()) now_there.insert(*found);
        }
    }
    members = std::move(now_there);
    const auto before = std::exchange(barred, {});
    std::set<wire::NodeId> ids;
    for (const auto& [id, layers] : members) {
        const auto admitted = world.registry->admits(id, layers);
        if (!admitted) {
            if (!before.contains(id))
                world.log.warn("no prompts go to it: " + admitted.error().message());
            barred.emplace(id, admitted.error());
            ids.insert(id);
        } else if (before.contains(id)) {
            world.log.info("node 0x" + to_hex(id) + " is registered: prompts may go to it");
        }
    }
    entry->act([&](pipeline::Entry& machine, Instant now, pipeline::Effects& effects) {
        machine.bar_nodes(now, std::move(ids), effects);
    });
}

bool Node::Impl::is_idle() const {
    if (!entry) {
        const pipeline::Stage& machine = stage->machine();
        return machine.sequence_count() + machine.quoting_count() + machine.sign_off_count() == 0;
    }
    const pipeline::Entry& machine = entry->machine();
    return machine.active_count() + machine.queued_count() + machine.record_count() +
               machine.quoting_count() + machine.sign_off_count() ==
           0;
}

void Node::Impl::await_idle(Instant since) {
    const Instant now = world.clock.now();
    if (!is_idle()) since = now;
    if (now - since >= idle_time) return on_drained();
    drain_timer = world.loop.call_after(idle_interval, [this, since] { await_idle(since); });
}

void Node::Impl::ask_to_sign(const billing::SignOffAsks& asks,
                             std::function<void(SettlementSignatures)> done) {
    const uint64_t id = next_signing++;
    const chain::Deployment deployment{identity->statement.chain_id, identity->statement.contract};
    pipeline::SignOffOrder order{.id = id,
                                 .digest = chain::settlement_digest(deployment, asks.batch())};
    Signing& signing = signings[id];
    signing.done = std::move(done);
    for (auto& [signer, ask] : asks.encode()) {
        if (ask)
            order.bodies.emplace(signer, std::move(*ask));
        else
            signing.signatures.emplace(signer, ask.error());
    }
    entry->act([&](pipeline::Entry& machine, Instant now, pipeline::Effects& effects) {
        machine.ask_to_sign(now, std::move(order), effects);
    });
}

void Node::Impl::on_outcome(pipeline::SignOffOutcome outcome) {
    auto signing = signings.extract(outcome.id);
    SettlementSignatures& signatures = signing.mapped().signatures;
    signatures.merge(outcome.signatures);
    signing.mapped().done(std::move(signatures));
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() = default;

Result<std::unique_ptr<Node>> Node::start(const World& world, const NodeOptions& options) {
    auto impl = std::make_unique<Impl>(world);
    impl->policy = options.policy;
    impl->url = options.url;
    impl->listen_host = options.listen.host;
    impl->api_url = options.api_url;
    impl->api_tls_url = options.api_tls_url;
    TT_TRY(impl->shard, ServedShard::load(options.shard, world.evidence, world.log));
    impl->manifest_text = model::encode_manifest(impl->shard.manifest);
    TT_CHECK(impl->load_draft_model(options));
    TT_CHECK(impl->attest_self(options));
    impl->start_machine(options);
    impl->show_evidence();
    TT_CHECK(impl->connect(options));
    impl->recheck_interval = std::min<Duration>(
        options.recheck_interval, std::chrono::seconds(options.statement_lifetime_s) / 4);
    impl->keep_attested(options.statement_lifetime_s);
    impl->watch_peers();
    return std::unique_ptr<Node>(new Node(std::move(impl)));
}

net::Loop& Node::loop() const {
    return impl_->world.loop;
}
bool Node::is_entry() const {
    return impl_->entry != nullptr;
}
uint16_t Node::link_port() const {
    return impl_->peers ? impl_->peers->port() : 0;
}
LayerRange Node::layers() const {
    return impl_->shard.layers;
}
const std::string& Node::model_id() const {
    return impl_->shard.model_id;
}
const attest::Statement& Node::statement() const {
    return impl_->identity->statement;
}
ByteView Node::statement_bytes() const {
    return impl_->identity->statement_bytes;
}
const crypto::X25519Key& Node::hpke_key() const {
    return impl_->identity->hpke_key;
}
void Node::quote_for(ByteView nonce, OnEvidence done) {
    Bytes statement = impl_->identity->statement_bytes;
    const auto wanted = attest::report_data(statement, nonce);
    impl_->quotes->quote(
        wanted, QuoteThread::Use::others,
        [statement = std::move(statement), done = std::move(done)](Result<Bytes> quote) {
            if (!quote) return done(std::move(quote).error());
            done(attest::Evidence{statement, std::move(quote).value()});
        });
}
bool Node::simulated() const {
    return impl_->world.evidence.simulated();
}
const net::TlsContext& Node::server_tls() const {
    return *impl_->server_tls;
}
bool Node::has_statement(const Digest& hash) const {
    const Identity& identity = *impl_->identity;
    if (hash == crypto::sha256(identity.statement_bytes)) return true;
    return std::ranges::any_of(identity.formers, [&](const Identity::Former& former) {
        return former.statement_hash == hash && impl_->world.clock.unix_now() <= former.not_after;
    });
}
void Node::on_new_statement(std::function<void()> callback) {
    impl_->on_new_statement = std::move(callback);
}

attest::Evidence Node::evidence() const {
    return {impl_->identity->statement_bytes, impl_->identity->quote};
}

size_t Node::slot() const {
    return impl_->shard.index;
}

const std::string& Node::policy_text() const {
    return impl_->policy.text;
}

const std::string& Node::manifest_text() const {
    return impl_->manifest_text;
}

std::vector<LayerRange> Node::shard_layers() const {
    std::vector<LayerRange> out;
    for (const model::ManifestShard& one : impl_->shard.manifest.shards) out.push_back(one.layers);
    return out;
}

std::string Node::url() const {
    if (!impl_->url.empty()) return impl_->url;
    return "tls://" + net::to_string({impl_->listen_host, link_port()});
}

crypto::RecoverableSignature Node::sign_registration(const chain::RegistrationTerms& terms) const {
    const attest::Statement& statement = impl_->identity->statement;
    return impl_->identity->receipt_key.sign_recoverable(
        chain::registration_digest({statement.chain_id, statement.contract}, terms));
}

void Node::drain(std::function<void()> done) {
    if (impl_->on_drained) return;
    impl_->on_drained = std::move(done);
    if (impl_->peers) impl_->peers->drain();
    impl_->await_idle(impl_->world.clock.now());
}
void Node::on_statement_ending(std::function<void()> callback) {
    impl_->on_statement_ending = std::move(callback);
}
size_t Node::prompt_bytes_max() const {
    return impl_->shard.context_length * impl_->shard.token_bytes_max;
}
ActivationFormat Node::activations() const {
    TT_ASSERT(is_entry());
    return impl_->entry->machine().activations();
}
Position Node::context_length() const {
    return impl_->shard.context_length;
}
uint32_t Node::embedding_length() const {
    return impl_->shard.embedding_length;
}

const model::Tokenizer& Node::tokenizer() const {
    TT_ASSERT(is_entry());
    return *impl_->shard.tokenizer;
}

std::chrono::seconds Node::retry_after() const {
    const pipeline::Entry& entry = impl_->entry->machine();
    return std::clamp(std::chrono::ceil<std::chrono::seconds>(entry.next_end()),
                      std::chrono::seconds(1), std::chrono::seconds(60));
}

Result<RequestId> Node::generate(Generation generation, GenerationEvents events) {
    TT_ASSERT(is_entry());
    if (impl_->on_drained)
        return fail(ErrorCode::route_unavailable, "entry: about to end, ask another one");
    return impl_->generations->begin(std::move(generation), std::move(events));
}

Result<pipeline::Usage> Node::cancel(const RequestId& request) {
    TT_ASSERT(is_entry());
    return impl_->generations->cancel(request);
}

NodeStatus Node::status() const {
    NodeStatus status;
    if (!is_entry()) return status;
    pipeline::Entry& entry = impl_->entry->machine();
    status.is_draining = static_cast<bool>(impl_->on_drained);
    status.ready = entry.ready() && !status.is_draining;
    status.active_count = entry.active_count();
    status.queued_count = entry.queued_count();
    status.counters = entry.counters();
    status.kv_positions = entry.kv_capacity().positions;
    status.kv_positions_free = impl_->load().positions_free;
    status.prefix_pages = entry.retained_page_count();
    status.fresh_quotes_missing = impl_->generations->fresh_quotes_missing();
    for (const auto& [id, why] : impl_->barred) status.unregistered.push_back({id, why.detail});
    for (const pipeline::Route* way : entry.open_routes()) {
        if (status.routes.empty()) status.round_trip = way->round_trip();
        status.routes.push_back(impl_->generations->nodes_of(*way));
    }
    return status;
}

std::vector<attest::Advert> Node::entries() const {
    return impl_->peers ? impl_->peers->entries() : std::vector<attest::Advert>();
}

void Node::sign(attest::Receipt& receipt) const {
    receipt.signature =
        impl_->identity->receipt_key.sign_recoverable(attest::receipt_digest(receipt));
}

void Node::add_fresh_quotes(attest::Receipt receipt, std::function<void(attest::Receipt)> done) {
    TT_ASSERT(is_entry());
    impl_->generations->add_fresh_quotes(std::move(receipt), std::move(done));
}

void Node::ask_to_sign(const billing::SignOffAsks& asks,
                       std::function<void(SettlementSignatures)> done) {
    TT_ASSERT(is_entry());
    impl_->ask_to_sign(asks, std::move(done));
}

}  // namespace teetee::node
