// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/link.hpp"
#include "node/dialers.hpp"
#include "pipeline/directory.hpp"
#include "wire/message.hpp"

namespace teetee::node {

/// A node's place among the others: listens for links, keeps the directory by gossip over those
/// that are up, and dials whom the directory wants. Lives on the loop's thread.
class Peers {
  public:
    struct World {
        net::Loop& loop;
        const Clock& clock;
        Log& log;
        /// Null: Options::registry alone.
        Registry* registry = nullptr;
    };
    struct Options {
        pipeline::DirectoryOptions directory{};
        std::vector<RegistryEntry> registry{};
        Duration registry_interval = std::chrono::seconds(2);
        /// Where links come in.
        net::Address listen{};
        /// What others are told to dial; empty: what is listened on, if it is one address.
        std::string url{};
        std::string api_url{};
        std::string api_tls_url{};
    };
    struct Hooks {
        net::OnLink on_dialled;
        net::OnLink on_accepted;
        std::function<void(const wire::NodeId& to, const wire::Frame& frame)> send;
        /// The nodes, or the links to them, are not what they were.
        std::function<void()> on_change;
        std::function<attest::Load()> load;
    };

    /// Errors: of LinkListener::listen and of the registry; advert_malformed for the URLs,
    /// config_invalid without one.
    static Result<std::unique_ptr<Peers>> start(const World& world,
                                                const net::LinkEnvironment& links, Options options,
                                                Hooks hooks);
    ~Peers();

    /// A link has gone to the node's machine, or has ended there.
    void on_link_up(const wire::NodeId& peer);
    void on_link_down(const wire::NodeId& peer);
    void suspect(const wire::NodeId& node);
    void on_adverts(const wire::NodeId& from, wire::Adverts adverts);

    /// Others are told that this node takes no new requests.
    void drain();

    std::vector<pipeline::KnownNode> nodes() const;
    /// Adverts of the nodes that clients may ask, this one first if it is one.
    std::vector<attest::Advert> entries() const;
    uint16_t port() const;

  private:
    Peers(const World& world, const net::LinkEnvironment& links, Options options, Hooks hooks);
    Result<void> tell_own();
    void tell(const pipeline::Gossip& gossip);
    void look_around();
    Result<void> read_registry();
    void watch_registry();
    void tick();

    World world_;
    Options options_;
    Hooks hooks_;
    pipeline::Directory directory_;
    Dialers dialers_;
    std::unique_ptr<net::LinkListener> listener_;
    bool is_draining_ = false;
    net::Timer timer_;
    std::vector<RegistryEntry> listed_;
    /// Why the registry is not what it was last read as; "" where it is.
    std::string registry_fault_;
    net::Timer registry_timer_;
};

}  // namespace teetee::node
