// SPDX-License-Identifier: Apache-2.0
#include "node/node.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "crypto/hash.hpp"
#include "model/limits.hpp"
#include "model/manifest.hpp"
#include "net/file.hpp"
#include "net/link.hpp"
#include "node/driver.hpp"
#include "node/engine_factory.hpp"
#include "node/identity.hpp"
#include "node/renewal.hpp"
#include "node/shard_file.hpp"
#include "node/peers.hpp"
#include "pipeline/entry.hpp"
#include "pipeline/router.hpp"
#include "pipeline/stage.hpp"

namespace teetee::node {
namespace {

/// How late a change of the collateral may be noticed.
constexpr Duration watch_interval_max = std::chrono::seconds(1);

/// "TeeTee Story" -> "teetee-story".
std::string identifier(std::string_view name) {
    std::string id;
    for (const char c : name) {
        const bool is_upper = c >= 'A' && c <= 'Z';
        const bool is_word =
            is_upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
        if (is_word) {
            id.push_back(is_upper ? static_cast<char>(c - 'A' + 'a') : c);
        } else if (!id.empty() && id.back() != '-') {
            id.push_back('-');
        }
    }
    while (!id.empty() && id.back() == '-') id.pop_back();
    return id.empty() ? "model" : id;
}

Result<model::Manifest> load_manifest(const std::string& path) {
    TT_TRY(const auto bytes, net::read_file(path, model::manifest_bytes_max));
    auto manifest = model::parse_manifest(as_text(bytes));
    if (!manifest) return in_context(path, std::move(manifest).error());
    return manifest;
}

}  // namespace

struct Node::Impl {
    explicit Impl(const World& w) : world(w) {}

    Result<void> load(const NodeOptions& options);
    /// With a cache, matrices that this program in this TEE has hashed and packed before come from
    /// there.
    Result<std::unique_ptr<model::ShardModel>> load_shard(const ShardFile& file,
                                                          model::ModelOptions model_options,
                                                          BlobStore* store) const;
    Result<void> attest_self(UnixSeconds lifetime_s);
    void keep_attested(UnixSeconds lifetime_s);
    void on_renewed();
    void show_evidence();
    void watch_peers();
    template <class Call>
    void for_each_link(Call call);
    Result<void> connect(const NodeOptions& options);
    void start_machine(const NodeOptions& options);
    Result<Peers::Options> peer_options(const NodeOptions& options) const;
    template <class Call>
    auto with_driver(Call call);
    void attach(std::shared_ptr<net::Link> link, bool is_ours);
    attest::Load load() const;
    void plan_routes();
    /// A request that is under way, or over and waiting for the records of its stages.
    struct Running {
        GenerationEvents events;
        attest::ReceiptOpening opening;
    };
    /// A receipt that waits for its fresh quotes.
    struct Quoting {
        attest::Receipt receipt;
        std::function<void(attest::Receipt)> done;
    };
    void on_event(const pipeline::ClientEvent& event);
    void on_quotes(const pipeline::ClientQuotes& made);
    void on_records(const pipeline::ClientRecords& records);
    attest::Receipt receipt_of(const pipeline::ClientRecords& records,
                               attest::ReceiptOpening opening) const;
    wire::RouteId route_of(const attest::Receipt& receipt) const;
    std::vector<RouteNode> nodes_of(const pipeline::Route& way) const;
    attest::PeerExpectation expect_peers() const;

    World world;
    std::optional<model::Tokenizer> tokenizer;
    model::Manifest manifest;
    PolicyFile policy;
    size_t shard_index = 0;
    LayerRange layers;
    std::vector<TokenId> stop_tokens;
    size_t token_bytes_max = 0;
    Position context_length = 0;
    std::string model_id;
    std::unique_ptr<pipeline::StageEngine> engine;
    std::optional<Identity> identity;
    /// Since the first quote, which the node cannot start without.
    std::unique_ptr<QuoteThread> quotes;
    std::unique_ptr<Renewal> renewal;
    std::function<void()> on_statement_ending;
    std::optional<net::TlsContext> link_tls;
    std::optional<net::TlsContext> server_tls;
    std::unique_ptr<PeerAuthenticator> authenticator;
    std::map<RequestId, Running> generations;
    std::map<RequestId, Quoting> quotings;
    uint64_t fresh_quotes_missing = 0;
    // The machine before its links: they call into it until they are gone.
    std::unique_ptr<Driver<pipeline::Entry>> entry;
    std::unique_ptr<Driver<pipeline::Stage>> stage;
    std::unique_ptr<Peers> peers;
    Duration recheck_interval{};
    Instant next_recheck{};
    uint64_t collateral_version = 0;
    net::Timer watch_timer;
};

Result<std::unique_ptr<model::ShardModel>> Node::Impl::load_shard(const ShardFile& file,
                                                                  model::ModelOptions model_options,
                                                                  BlobStore* store) const {
    if (store == nullptr) return model::ShardModel::load(file.gguf, model_options);
    auto key = world.evidence.sealing_key("teetee packed weights v1");
    if (!key) {
        world.log.warn("weights cache: off: " + key.error().message());
        return model::ShardModel::load(file.gguf, model_options);
    }
    model::PackedCache cache(*store, {manifest.shards[shard_index].root, layers},
                             std::move(key).value());
    model_options.cache = &cache;
    TT_TRY(auto shard, model::ShardModel::load(file.gguf, model_options));
    const auto kept = shard->keep_packed(cache);
    if (cache.rejection()) world.log.warn("weights cache: " + cache.rejection()->message());
    if (!kept) world.log.warn("weights cache: " + kept.error().message());
    if (cache.was_used()) {
        world.log.info("packed weights come from the cache, every byte verified");
    }
    return shard;
}

Result<void> Node::Impl::load(const NodeOptions& options) {
    TT_TRY(manifest, load_manifest(options.manifest_path));
    policy = options.policy;
    // Into private memory, not mapped: what has been hashed is what is packed, whatever happens to
    // the file meanwhile.
    TT_TRY(const auto file, ShardFile::open(options.shard_path));
    TT_TRY(shard_index, identify_shard(file.gguf, manifest));
    layers = manifest.shards[shard_index].layers;

    model::ModelOptions model_options;
    TT_TRY(model_options.kernels, tensor::kernels_named(options.kernel));
    model_options.thread_count = options.threads;
    model_options.kv_type = options.kv_type;
    TT_TRY(const auto hyperparameters, model::hyperparameters_from(file.gguf));
    TT_TRY(const auto kv_shape, model::kv_shape_of(file.gguf, model_options));
    TT_TRY(const auto kv,
           model::plan_kv(kv_shape, hyperparameters.context_length, options.kv_budget));
    world.log.info("KV cache: " + std::to_string(kv.positions) + " positions, at most " +
                   model::show_byte_count(kv.bytes));
    model_options.kv_positions_max = kv.positions;
    model_options.progress = options.progress;
    model_options.weights = {.file = &file.file, .manifest = &manifest};
    TT_TRY(auto shard, load_shard(file, model_options, options.weights_cache));
    context_length = std::min<Position>(hyperparameters.context_length, kv.positions);
    model_id = identifier(shard->hyperparameters().name);
    const bool is_tail = layers.end == shard->hyperparameters().layer_count;
    if (layers.begin == 0 || is_tail) {
        TT_TRY(auto vocabulary, model::vocabulary_from(file.gguf));
        const auto token_count = static_cast<TokenId>(vocabulary.tokens.size());
        TT_CHECK(model::ensure_fits(vocabulary, shard->hyperparameters()));
        for (const model::Token& token : vocabulary.tokens) {
            token_bytes_max = std::max(token_bytes_max, token.text.size());
        }
        TT_TRY(tokenizer, model::Tokenizer::build(std::move(vocabulary)));
        for (TokenId id = 0; id < token_count && stop_tokens.size() < pipeline::stop_tokens_max;
             ++id) {
            if (tokenizer->is_end_of_generation(id)) stop_tokens.push_back(id);
        }
    }
    ModelEngine::Limits limits;
    limits.positions_max = kv.positions;
    engine = make_engine(
        std::move(shard), limits,
        is_tail ? model::ConstraintVocabulary::build(*tokenizer, stop_tokens) : nullptr);
    return {};
}

Result<void> Node::Impl::attest_self(UnixSeconds lifetime_s) {
    IdentityOptions options;
    options.model_root = manifest.model_root;
    options.shard_root = manifest.shards[shard_index].root;
    options.layers = layers;
    options.policy_hash = policy.hash;
    options.now = world.clock.unix_now();
    options.lifetime_s = lifetime_s;
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
}

/// To the other nodes and to clients, who verify the whole route.
void Node::Impl::show_evidence() {
    if (entry) {
        entry->machine().set_evidence(identity->statement_bytes, identity->quote);
    } else {
        stage->machine().set_evidence(identity->statement_bytes, identity->quote);
    }
}

template <class Call>
auto Node::Impl::with_driver(Call call) {
    return entry ? call(*entry) : call(*stage);
}

template <class Call>
void Node::Impl::for_each_link(Call call) {
    with_driver([&](auto& driver) { driver.for_each_link(call); });
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
    watch_timer = world.loop.call_after(std::min(recheck_interval, watch_interval_max),
                                        [this] { watch_peers(); });
}

/// Any node of the model: who is of use as a neighbour is for the routes to decide.
attest::PeerExpectation Node::Impl::expect_peers() const {
    attest::PeerExpectation expectation;
    expectation.model_root = manifest.model_root;
    expectation.policy_hash = policy.hash;
    for (const model::ManifestShard& shard : manifest.shards)
        expectation.shards.push_back({shard.root, shard.layers});
    return expectation;
}

void Node::Impl::start_machine(const NodeOptions& options) {
    const auto signer =
        std::make_shared<attest::RecordSigner>(identity->receipt_key, identity->statement);
    if (layers.begin == 0) {
        pipeline::EntryOptions entry_options;
        entry_options.node_id = identity->receipt_key.address();
        entry_options.engine = engine->limits();
        entry_options.queued_max = options.requests_queued_max;
        ByteArray<8> random;
        world.rng.fill(random);
        // Room for as many ids as there can be pages, and not 0.
        entry_options.first_prefix = 1 + (ByteReader(random).read_u64().value_or(0) >> 1);
        entry_options.reroute_timeout = options.reroute_timeout;
        entry_options.records.signer = signer;
        for (const model::ManifestShard& shard : manifest.shards)
            entry_options.records.shard_roots[shard.layers] = shard.root;
        entry = std::make_unique<Driver<pipeline::Entry>>(
            Driver<pipeline::Entry>::World{
                entry_options.node_id, world.loop, world.clock, world.log, *engine, *quotes},
            pipeline::Entry(entry_options),
            [this](const pipeline::ClientEvent& event) { on_event(event); });
        return;
    }
    pipeline::StageOptions stage_options;
    stage_options.node_id = identity->receipt_key.address();
    stage_options.engine = engine->limits();
    stage_options.signer = signer;
    stage = std::make_unique<Driver<pipeline::Stage>>(
        Driver<pipeline::Stage>::World{
            stage_options.node_id, world.loop, world.clock, world.log, *engine, *quotes},
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
    if (manifest.shards.size() > wire::Limits{}.hops_max) {
        return fail(ErrorCode::config_invalid, "have " + std::to_string(manifest.shards.size()) +
                                                   " shards, a route has at most " +
                                                   std::to_string(wire::Limits{}.hops_max));
    }
    Peers::Options out;
    out.directory.node_id = identity->receipt_key.address();
    out.directory.model_root = manifest.model_root;
    out.directory.layers = layers;
    out.directory.layer_count = engine->limits().layer_count;
    out.directory.sign = [this](const attest::Advert& advert) {
        return attest::sign_advert(identity->receipt_key, advert);
    };
    out.registry = options.registry;
    out.listen = options.listen;
    out.url = options.url;
    out.api_url = options.api_url;
    return out;
}

Result<void> Node::Impl::connect(const NodeOptions& options) {
    if (manifest.shards.size() == 1) {
        entry->act([&](pipeline::Entry& machine, Instant now, pipeline::Effects& effects) {
            machine.add_route(now, {identity->receipt_key.address()}, effects);
        });
        return {};
    }
    TT_TRY(auto own, peer_options(options));
    authenticator = std::make_unique<PeerAuthenticator>(*identity, policy.policy, expect_peers(),
                                                        world.clock, world.collateral);
    with_driver([this](auto& driver) {
        driver.on_peer({.up = [this](const wire::NodeId& peer) { peers->on_link_up(peer); },
                        .down = [this](const wire::NodeId& peer) { peers->on_link_down(peer); },
                        .adverts =
                            [this](const wire::NodeId& from, wire::Adverts adverts) {
                                peers->on_adverts(from, std::move(adverts));
                            }});
    });
    Peers::Hooks hooks;
    hooks.on_dialled = [this](std::shared_ptr<net::Link> link) { attach(std::move(link), true); };
    hooks.on_accepted = [this](std::shared_ptr<net::Link> link) { attach(std::move(link), false); };
    hooks.send = [this](const wire::NodeId& to, const wire::Frame& frame) {
        with_driver([&](auto& driver) { driver.send(to, frame); });
    };
    hooks.on_change = [this] { plan_routes(); };
    hooks.load = [this] { return load(); };
    TT_TRY(peers, Peers::start({world.loop, world.clock, world.log},
                               {world.loop, *link_tls, *authenticator, world.log, options.links},
                               std::move(own), std::move(hooks)));
    return {};
}

attest::Load Node::Impl::load() const {
    pipeline::KvAmount free;
    if (entry) {
        const pipeline::KvAmount capacity = entry->machine().kv_capacity();
        const pipeline::KvAmount used = entry->machine().kv_used();
        free = {capacity.sequences - std::min(capacity.sequences, used.sequences),
                capacity.positions - std::min(capacity.positions, used.positions)};
    } else {
        free = stage->machine().kv_free();
    }
    return {.sequences_free = static_cast<uint32_t>(free.sequences),
            .positions_free = free.positions};
}

/// Adds the routes that the nodes known now allow, and drains those that they do not.
void Node::Impl::plan_routes() {
    if (!entry || !peers) return;
    std::vector<pipeline::RouterNode> nodes;
    for (const pipeline::KnownNode& known : peers->nodes()) {
        nodes.push_back({.node_id = known.advert.node_id,
                         .layers = known.advert.layers,
                         .linked = known.linked,
                         .avoided = known.advert.draining || known.suspect});
    }
    const pipeline::RouterOptions options{.entry = identity->receipt_key.address(),
                                          .layers = layers,
                                          .layer_count = engine->limits().layer_count};
    std::vector<pipeline::Path> current;
    for (const pipeline::Route* one : entry->machine().routes()) current.push_back(one->path());
    const auto wanted = pipeline::plan_paths(options, nodes, current);
    entry->act([&](pipeline::Entry& machine, Instant now, pipeline::Effects& effects) {
        for (const pipeline::Route* one : machine.routes()) {
            if (std::ranges::count(wanted, one->path()) == 0)
                machine.drain_route(one->id().number);
        }
        for (const pipeline::Path& path : wanted) {
            if (std::ranges::count(current, path) == 0) machine.add_route(now, path, effects);
        }
    });
}

void Node::Impl::on_event(const pipeline::ClientEvent& event) {
    if (const auto* made = std::get_if<pipeline::ClientQuotes>(&event)) return on_quotes(*made);
    const RequestId request = std::visit([](const auto& e) { return e.request; }, event);
    const auto found = generations.find(request);
    if (found == generations.end()) return;
    // Copies: a callback may cancel the request and so erase its own entry.
    const GenerationEvents events = found->second.events;
    if (const auto* token = std::get_if<pipeline::ClientToken>(&event)) {
        found->second.opening.answer.push_back(token->token);
        events.on_token(*token);
    } else if (const auto* done = std::get_if<pipeline::ClientDone>(&event)) {
        if (!events.on_receipt) generations.erase(found);
        events.on_done(done->reason, done->usage);
    } else if (const auto* failed = std::get_if<pipeline::ClientFailed>(&event)) {
        generations.erase(found);
        events.on_failed(failed->error, failed->usage);
    } else {
        on_records(std::get<pipeline::ClientRecords>(event));
    }
}

void Node::Impl::on_quotes(const pipeline::ClientQuotes& made) {
    auto quoting = quotings.extract(made.request);
    attest::Receipt& receipt = quoting.mapped().receipt;
    for (attest::ReceiptStage& part : receipt.stages) {
        part.fresh_quote = made.stages.at(part.record.layers);
        fresh_quotes_missing += *part.fresh_quote ? 0 : 1;
    }
    receipt.fresh_signature =
        identity->receipt_key.sign_recoverable(attest::fresh_quotes_digest(receipt));
    quoting.mapped().done(std::move(receipt));
}

void Node::Impl::on_records(const pipeline::ClientRecords& records) {
    auto running = generations.extract(records.request);
    const auto& on_receipt = running.mapped().events.on_receipt;
    if (!on_receipt) return;
    if (records.failure) return on_receipt(*records.failure);
    on_receipt(receipt_of(records, std::move(running.mapped().opening)));
}

attest::Receipt Node::Impl::receipt_of(const pipeline::ClientRecords& records,
                                       attest::ReceiptOpening opening) const {
    attest::Receipt receipt;
    receipt.simulated = world.evidence.simulated();
    receipt.chain_id = identity->statement.chain_id;
    receipt.contract = identity->statement.contract;
    receipt.pool = identity->statement.pool;
    receipt.model_root = identity->statement.model_root;
    receipt.request = records.request;
    receipt.prompt_tokens = static_cast<uint32_t>(opening.prompt.size());
    receipt.cached_tokens = records.input.begin;
    receipt.completion_tokens = static_cast<uint32_t>(opening.answer.size());
    receipt.input = records.input;
    receipt.opening = std::move(opening);
    const pipeline::Route* way = entry->machine().route(records.route.number);
    const std::vector<RouteNode> nodes =
        way == nullptr ? std::vector<RouteNode>() : nodes_of(*way);
    for (const pipeline::SignedRecord& signed_record : records.stages) {
        attest::ReceiptStage out;
        out.record = signed_record.record;
        out.signature = signed_record.signature;
        out.output = signed_record.output;
        for (const RouteNode& node : nodes) {
            if (node.layers != out.record.layers) continue;
            out.statement = node.statement;
            out.quote = node.quote;
        }
        receipt.stages.push_back(std::move(out));
    }
    return receipt;
}

/// The one over the nodes that have signed it, if that is there still.
wire::RouteId Node::Impl::route_of(const attest::Receipt& receipt) const {
    pipeline::Path path;
    for (const attest::ReceiptStage& part : receipt.stages) {
        const auto statement = attest::decode_statement(part.statement);
        path.push_back(statement ? statement->receipt_address : wire::NodeId{});
    }
    for (const pipeline::Route* way : entry->machine().routes()) {
        if (way->path() == path) return way->id();
    }
    return {};
}

std::vector<RouteNode> Node::Impl::nodes_of(const pipeline::Route& way) const {
    if (way.is_alone()) {
        return {
            {identity->receipt_key.address(), layers, identity->statement_bytes, identity->quote}};
    }
    std::vector<RouteNode> out;
    for (const wire::Hop& hop : way.hops())
        out.push_back({hop.node_id, hop.layers, hop.statement, hop.quote});
    return out;
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() = default;

Result<std::unique_ptr<Node>> Node::start(const World& world, const NodeOptions& options) {
    auto impl = std::make_unique<Impl>(world);
    TT_CHECK(impl->load(options));
    TT_CHECK(impl->attest_self(options.statement_lifetime_s));
    impl->start_machine(options);
    impl->show_evidence();
    TT_CHECK(impl->connect(options));
    impl->recheck_interval = std::min<Duration>(
        options.recheck_interval, std::chrono::seconds(options.statement_lifetime_s) / 4);
    impl->keep_attested(options.statement_lifetime_s);
    impl->watch_peers();
    return std::unique_ptr<Node>(new Node(std::move(impl)));
}

bool Node::is_entry() const {
    return impl_->entry != nullptr;
}
uint16_t Node::link_port() const {
    return impl_->peers ? impl_->peers->port() : 0;
}
LayerRange Node::layers() const {
    return impl_->layers;
}
const std::string& Node::model_id() const {
    return impl_->model_id;
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
void Node::on_statement_ending(std::function<void()> callback) {
    impl_->on_statement_ending = std::move(callback);
}
size_t Node::prompt_bytes_max() const {
    return impl_->context_length * impl_->token_bytes_max;
}
Position Node::context_length() const {
    return impl_->context_length;
}

const model::Tokenizer& Node::tokenizer() const {
    TT_ASSERT(is_entry());
    return *impl_->tokenizer;
}

Result<RequestId> Node::generate(Generation generation, GenerationEvents events) {
    TT_ASSERT(is_entry());
    pipeline::Submission submission;
    impl_->world.rng.fill(submission.request.bytes);
    impl_->world.rng.fill(submission.salt);
    const RequestId request = submission.request;
    submission.prompt = std::move(generation.prompt);
    submission.max_tokens = generation.tokens_max;
    submission.sampling = generation.sampling;
    submission.stop_tokens = impl_->stop_tokens;
    submission.tenant = generation.tenant;
    impl_->generations[request] = {
        std::move(events),
        {.salt = submission.salt, .prompt = submission.prompt, .sampling = submission.sampling}};
    auto submitted =
        impl_->entry->act([&](pipeline::Entry& entry, Instant now, pipeline::Effects& effects) {
            return entry.submit(now, std::move(submission), effects);
        });
    if (!submitted) {
        impl_->generations.erase(request);
        return std::move(submitted).error();
    }
    return request;
}

Result<pipeline::Usage> Node::cancel(const RequestId& request) {
    TT_ASSERT(is_entry());
    // Callbacks of a request that has just ended by itself stay: its last event is on its way.
    auto usage =
        impl_->entry->act([&](pipeline::Entry& entry, Instant now, pipeline::Effects& effects) {
            return entry.cancel(now, request, effects);
        });
    const auto running = impl_->generations.find(request);
    if (!usage || running == impl_->generations.end()) return usage;
    // Behind its first token the records are still to come.
    if (usage->completion_tokens == 0 || !running->second.events.on_receipt) {
        impl_->generations.erase(running);
    }
    return usage;
}

NodeStatus Node::status() const {
    NodeStatus status;
    if (!is_entry()) return status;
    pipeline::Entry& entry = impl_->entry->machine();
    status.ready = entry.ready();
    status.active_count = entry.active_count();
    status.queued_count = entry.queued_count();
    status.counters = entry.counters();
    status.kv_positions = entry.kv_capacity().positions;
    status.kv_positions_free = impl_->load().positions_free;
    status.prefix_pages = entry.retained_page_count();
    status.fresh_quotes_missing = impl_->fresh_quotes_missing;
    for (const pipeline::Route* way : entry.routes()) {
        if (!way->ready()) continue;
        if (status.routes.empty()) status.round_trip = way->round_trip();
        status.routes.push_back(impl_->nodes_of(*way));
    }
    return status;
}

void Node::sign(attest::Receipt& receipt) const {
    receipt.signature =
        impl_->identity->receipt_key.sign_recoverable(attest::receipt_digest(receipt));
}

void Node::add_fresh_quotes(attest::Receipt receipt, std::function<void(attest::Receipt)> done) {
    TT_ASSERT(is_entry());
    pipeline::QuoteOrder order{.request = receipt.request,
                               .route = impl_->route_of(receipt),
                               .nonce = attest::receipt_digest(receipt)};
    for (const attest::ReceiptStage& stage : receipt.stages) {
        order.statements.push_back(crypto::sha256(stage.statement));
        order.report_data[stage.record.layers] = attest::report_data(stage.statement, order.nonce);
    }
    impl_->quotings[order.request] = {std::move(receipt), std::move(done)};
    impl_->entry->act([&](pipeline::Entry& entry, Instant now, pipeline::Effects& effects) {
        entry.ask_for_quotes(now, std::move(order), effects);
    });
}

}  // namespace teetee::node
