// SPDX-License-Identifier: Apache-2.0
#include "node/peers.hpp"

#include <algorithm>
#include <utility>

namespace teetee::node {
namespace {

/// How late the death of a node, or a registry's entry that is no more advertised, may be noticed.
constexpr Duration look_interval = std::chrono::seconds(1);

}  // namespace

Peers::Peers(const World& world, const net::LinkEnvironment& links, Options options, Hooks hooks)
    : world_(world),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      directory_(options_.directory),
      dialers_(links, hooks_.on_dialled) {}

Peers::~Peers() = default;

Result<std::unique_ptr<Peers>> Peers::start(const World& world, const net::LinkEnvironment& links,
                                            Options options, Hooks hooks) {
    std::unique_ptr<Peers> peers(new Peers(world, links, std::move(options), std::move(hooks)));
    TT_CHECK(peers->read_registry());
    TT_TRY(peers->listener_,
           net::LinkListener::listen(links, peers->options_.listen, peers->hooks_.on_accepted));
    if (peers->options_.url.empty()) {
        const std::string& host = peers->options_.listen.host;
        if (host == "0.0.0.0" || host == "::") {
            return fail(ErrorCode::config_invalid,
                        "listening on " + host + ": need --advertise with a URL to dial");
        }
        net::Address own = peers->options_.listen;
        own.port = peers->listener_->port();
        peers->options_.url = "tls://" + net::to_string(own);
    }
    TT_CHECK(peers->tell_own());
    peers->tick();
    if (world.registry != nullptr) peers->watch_registry();
    return peers;
}

void Peers::on_link_up(const wire::NodeId& peer) {
    tell(directory_.on_link_up(world_.clock.now(), peer));
    look_around();
}

void Peers::on_link_down(const wire::NodeId& peer) {
    directory_.on_link_down(world_.clock.now(), peer);
    look_around();
}

void Peers::suspect(const wire::NodeId& node) {
    directory_.suspect(world_.clock.now(), node);
    look_around();
}

void Peers::on_adverts(const wire::NodeId& from, wire::Adverts adverts) {
    tell(directory_.on_adverts(world_.clock.now(), world_.clock.unix_now(), from,
                               pipeline::adverts_of(std::move(adverts))));
    look_around();
}

void Peers::drain() {
    is_draining_ = true;
    if (auto told = tell_own(); !told) world_.log.error(told.error().message());
    tick();
}

std::vector<pipeline::KnownNode> Peers::nodes() const {
    return directory_.nodes(world_.clock.now());
}

std::vector<attest::Advert> Peers::entries() const {
    const auto takes_clients = [](const attest::Advert& advert) {
        return !advert.draining && !(advert.api_url.empty() && advert.api_tls_url.empty());
    };
    std::vector<attest::Advert> out;
    const auto& own = directory_.own_advert();
    if (own && takes_clients(*own)) out.push_back(*own);
    for (const pipeline::KnownNode& node : nodes()) {
        if (!node.suspect && takes_clients(node.advert)) out.push_back(node.advert);
    }
    return out;
}

uint16_t Peers::port() const {
    return listener_->port();
}

Result<void> Peers::tell_own() {
    return directory_.set_own({.url = options_.url,
                               .api_url = options_.api_url,
                               .api_tls_url = options_.api_tls_url,
                               .draining = is_draining_,
                               .load = hooks_.load()});
}

void Peers::tell(const pipeline::Gossip& gossip) {
    for (const wire::Adverts& message : messages_of(gossip)) {
        for (const wire::NodeId& to : gossip.to) hooks_.send(to, {{}, message});
    }
}

void Peers::look_around() {
    dialers_.want(directory_.wanted(world_.clock.now()));
    hooks_.on_change();
}

Result<void> Peers::read_registry() {
    std::vector<RegistryEntry> entries = options_.registry;
    if (world_.registry != nullptr) {
        TT_TRY(auto listed, world_.registry->nodes());
        entries.insert(entries.end(), listed.begin(), listed.end());
        if (listed != listed_)
            world_.log.info("the registry lists " + std::to_string(listed.size()) + " nodes");
        listed_ = std::move(listed);
    }
    directory_.set_registry(std::move(entries));
    return {};
}

/// A list that cannot be read leaves the one before in force, and is told of once.
void Peers::watch_registry() {
    const auto read = read_registry();
    const std::string fault = read ? "" : read.error().message();
    if (fault != registry_fault_) {
        if (read)
            world_.log.info("the registry can be read again");
        else
            world_.log.warn("the registry stays as it was: " + fault);
    }
    registry_fault_ = fault;
    if (read) look_around();
    registry_timer_ =
        world_.loop.call_after(options_.registry_interval, [this] { watch_registry(); });
}

void Peers::tick() {
    const Instant now = world_.clock.now();
    if (now >= directory_.due_at()) {
        // What it says of its load is as of now.
        if (auto told = tell_own(); !told) world_.log.error(told.error().message());
        tell(directory_.on_timer(now, world_.clock.unix_now()));
    }
    look_around();
    timer_ =
        world_.loop.call_at(std::min(now + look_interval, directory_.due_at()), [this] { tick(); });
}

}  // namespace teetee::node
