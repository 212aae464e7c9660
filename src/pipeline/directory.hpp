// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "attest/advert.hpp"
#include "base/registry.hpp"
#include "base/token_bucket.hpp"
#include "wire/message.hpp"

namespace teetee::pipeline {

struct DirectoryOptions {
    wire::NodeId node_id{};
    Digest model_root{};
    LayerRange layers{};
    /// Of the whole model.
    uint32_t layer_count = 0;
    /// Signs for node_id.
    std::function<attest::SignedAdvert(const attest::Advert&)> sign{};

    /// Nodes that are remembered, and those of them with the same layers. Who comes when there is
    /// no room is refused: nobody known is displaced by a newcomer.
    size_t nodes_max = 1024;
    size_t nodes_per_layers_max = 64;
    /// Of own adverts, and how often there is a new one.
    std::chrono::seconds lifetime{30};
    std::chrono::seconds refresh{10};
    /// How far the clocks of two nodes may be apart.
    std::chrono::seconds skew{60};
    /// How long an advert may be on its way. One that comes this soon after its node was suspected
    /// may be older than the suspicion.
    std::chrono::seconds delay{2};
    /// What one peer may send: twice what nodes_max nodes have to say.
    Rate adverts_per_peer{.burst = 2048, .interval = std::chrono::milliseconds(5)};
};

/// What a node says of itself, but for what its options say already.
struct OwnState {
    std::string url{};
    std::string api_url{};
    std::string api_tls_url{};
    bool draining = false;
    attest::Load load{};
};

/// Adverts for each of these linked peers. Whoever sends them may split them up.
struct Gossip {
    std::vector<wire::NodeId> to{};
    std::vector<attest::SignedAdvert> adverts{};
};

/// As it travels, in messages within the limits, each for every peer in `to`; and back.
std::vector<wire::Adverts> messages_of(const Gossip& gossip);
std::vector<attest::SignedAdvert> adverts_of(wire::Adverts message);

struct KnownNode {
    attest::Advert advert{};
    /// A link to it is up.
    bool linked = false;
    /// Somebody lost it, and nothing has been heard of it since.
    bool suspect = false;
};

struct WantedLink {
    std::string url{};
    /// Who must be there, where it is known.
    std::optional<wire::NodeId> node_id{};
    /// A link to it is up, whoever made it.
    bool linked = false;
};

/// Adverts that came in, by what became of them.
struct DirectoryCounters {
    uint64_t taken = 0;
    /// Not above the number that is known; a flood ends in these.
    uint64_t old = 0;
    /// Malformed, forged, expired, from the future, of another model, or the node's own.
    uint64_t refused = 0;
    uint64_t without_room = 0;
    uint64_t throttled = 0;
};

/// What a node knows of all nodes of its model: the registry's entries to begin with, then adverts
/// that nodes sign and pass on to each other. It does no I/O and reads no clock.
///
/// An advert alone proves nothing, since anybody can make a key and sign. It is taken over attested
/// links only, whose other ends run code that passes on only what came to it over attested links;
/// and whoever uses a node still verifies its evidence when they link. So what a peer makes up, if
/// its TEE is broken, costs dials that fail, and room that newcomers then lack; both are bounded,
/// and nobody known is hidden. A host can withhold adverts as it can drop any traffic.
///
/// Each advert goes over each link at most once in each direction. What is lost is made up for by
/// the next one. A node that says no more is gone for whoever heard its last advert when that has
/// lived its lifetime, by the listener's own clock; it is remembered until the advert is out of
/// date by every clock within the skew, so that no replay brings it back.
class Directory {
  public:
    explicit Directory(DirectoryOptions options);

    /// Adverts begin with the first call. A change of anything but the load is told at once, so
    /// look at due_at() again. Error: advert_malformed.
    Result<void> set_own(OwnState own);
    /// Takes the place of earlier ones; nodes_max entries at most, the rest is left out.
    void set_registry(std::vector<RegistryEntry> entries);

    /// A peer that has been verified and bound to its link. It gets all that is known.
    Gossip on_link_up(Instant now, const wire::NodeId& peer);
    void on_link_down(Instant now, const wire::NodeId& peer);
    /// Somebody trusted says that the node is gone: it is marked until news of it come.
    void suspect(Instant now, const wire::NodeId& node);
    /// From a peer whose link is up; what comes from others is dropped.
    Gossip on_adverts(Instant now, UnixSeconds unix_now, const wire::NodeId& from,
                      std::vector<attest::SignedAdvert> batch);
    /// To be called at due_at(); does nothing before.
    Gossip on_timer(Instant now, UnixSeconds unix_now);
    Instant due_at() const { return due_at_; }

    /// Of this node as it was last told; none before the first.
    const std::optional<attest::Advert>& own_advert() const { return own_advert_; }
    /// All other nodes that live, by id.
    std::vector<KnownNode> nodes(Instant now) const;

    /// Whom this node has to dial as long as they are not linked.
    /// - The nodes whose layers begin where its own end, for a tail the entries; of two that would
    ///   dial each other only the one with the earlier layers does, or else with the lesser id.
    /// - The registry's entries that no living advert speaks of, since they may be cut off from
    ///   here: those whose layers are such ones or unknown, and while no link is up all of them.
    /// A link that is up carries gossip: it is not to be closed because it is not wanted.
    std::vector<WantedLink> wanted(Instant now) const;

    /// Including those that are only remembered.
    size_t remembered_count() const { return known_.size(); }
    const DirectoryCounters& counters() const { return counters_; }

  private:
    struct Known {
        attest::Advert advert{};
        crypto::RecoverableSignature signature{};
        Instant live_until{};
        Instant forget_at{};
        std::optional<Instant> suspected_at{};
    };

    attest::Advert advert_of(const OwnState& own, UnixSeconds unix_now) const;
    bool take(Instant now, UnixSeconds unix_now, const attest::SignedAdvert& sent);
    bool is_acceptable(const attest::Advert& advert, UnixSeconds unix_now) const;
    bool is_news(const attest::Advert& advert) const;
    bool has_room(const attest::Advert& advert) const;
    void remember(Instant now, UnixSeconds unix_now, attest::Advert advert,
                  const crypto::RecoverableSignature& signature);
    bool is_to_be_dialled(const attest::Advert& other) const;
    bool is_next(const LayerRange& layers) const;
    uint32_t layer_behind(const LayerRange& layers) const;

    DirectoryOptions options_;
    std::optional<OwnState> own_;
    std::optional<attest::Advert> own_advert_;
    std::optional<attest::SignedAdvert> own_signed_;
    /// Of the last own advert, in this life or an earlier one.
    uint64_t number_ = 0;
    Instant due_at_{};
    std::vector<RegistryEntry> registry_;
    std::set<wire::NodeId> links_;
    std::map<wire::NodeId, Known> known_;
    /// Outlive their links until they are full, so that nothing is gained by linking anew.
    std::map<wire::NodeId, TokenBucket> buckets_;
    DirectoryCounters counters_;
};

}  // namespace teetee::pipeline
