// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "pipeline/directory.hpp"

/// For tests: nodes with real keys, and a network of their directories in virtual time.
namespace teetee::pipeline::testing {

inline constexpr uint32_t slot_count = 4;
inline constexpr uint32_t layer_count = 4;
inline constexpr Digest model_root{0xab};

inline const crypto::SecpKey& key_of(uint32_t index) {
    static std::map<uint32_t, crypto::SecpKey> keys;
    const auto found = keys.find(index);
    if (found != keys.end()) return found->second;
    ByteArray<32> secret{1};
    for (size_t i = 0; i < 4; ++i) secret[28 + i] = static_cast<uint8_t>(index >> (8 * i));
    return keys.emplace(index, crypto::SecpKey::from_bytes(secret).value()).first->second;
}

inline wire::NodeId id_of(uint32_t index) {
    return key_of(index).address();
}

inline uint32_t index_of(const wire::NodeId& id) {
    uint32_t index = 0;
    while (id_of(index) != id) ++index;
    return index;
}

/// One layer each, round the slots.
inline LayerRange layers_of(uint32_t index) {
    return {index % slot_count, index % slot_count + 1};
}

inline std::string url_of(uint32_t index) {
    return "tls://node-" + std::to_string(index) + ":6010";
}

inline OwnState own_of(uint32_t index) {
    return {.url = url_of(index)};
}

inline UnixSeconds unix_at(Instant now) {
    return 1'800'000'000 + std::chrono::floor<std::chrono::seconds>(now).count();
}

inline DirectoryOptions options_of(uint32_t index) {
    return {.node_id = id_of(index),
            .model_root = model_root,
            .layers = layers_of(index),
            .layer_count = layer_count,
            .sign = [index](const attest::Advert& advert) {
                return attest::sign_advert(key_of(index), advert);
            }};
}

/// Links have a latency of 10 to 50 ms each and keep the order of what they do not lose.
class GossipWorld {
  public:
    struct Options {
        uint64_t seed = 0;
        uint32_t node_count = 0;
        uint64_t loss_percent = 0;
        std::chrono::seconds clock_skew_max{};
        size_t nodes_max = 1024;
    };

    explicit GossipWorld(Options options) : options_(options), random_(options.seed) {
        for (uint32_t index = 0; index < options.node_count; ++index) start(index);
    }

    void start(uint32_t index) { start(index, own_of(index)); }
    void start(uint32_t index, OwnState own) {
        DirectoryOptions options = options_of(index);
        options.nodes_max = options_.nodes_max;
        Node node{.directory = std::make_unique<Directory>(std::move(options)), .url = own.url};
        const auto skew = options_.clock_skew_max.count();
        node.skew = skew - static_cast<UnixSeconds>(below(static_cast<uint64_t>(2 * skew + 1)));
        node.directory->set_own(std::move(own)).value();
        nodes_.insert_or_assign(index, std::move(node));
    }

    void kill(uint32_t index) {
        nodes_.erase(index);
        std::erase_if(links_, [&](const auto& link) {
            const auto& [a, b] = link.first;
            if (a != index && b != index) return false;
            directory(a == index ? b : a).on_link_down(now_, id_of(index));
            return true;
        });
    }

    void link(uint32_t a, uint32_t b) {
        const auto ends = std::minmax(a, b);
        const Link link{++link_number_, std::chrono::milliseconds(10 + below(41))};
        if (a == b || !links_.emplace(ends, link).second) return;
        send(a, directory(a).on_link_up(now_, id_of(b)));
        send(b, directory(b).on_link_up(now_, id_of(a)));
    }

    void connect_in_a_line() {
        for (uint32_t index = 1; index < nodes_.size(); ++index) link(index - 1, index);
    }

    /// A random tree of the living, and as many links more.
    void connect_at_random() {
        std::vector<uint32_t> earlier;
        for (const auto& [index, node] : nodes_) {
            for (int i = 0; i < 2 && !earlier.empty(); ++i)
                link(index, earlier[below(earlier.size())]);
            earlier.push_back(index);
        }
    }

    void run_for(Duration time) {
        for (const Instant end = now_ + time; now_ < end;) {
            Instant next = queue_.empty() ? end : std::min(end, queue_.begin()->first.first);
            for (const auto& [index, node] : nodes_)
                next = std::min(next, std::max(now_, node.directory->due_at()));
            now_ = next;
            for (auto& [index, node] : nodes_)
                send(index, node.directory->on_timer(now_, unix_now(node)));
            while (!queue_.empty() && queue_.begin()->first.first <= now_)
                deliver(std::move(queue_.extract(queue_.begin()).mapped()));
        }
    }

    /// Adverts of nodes that there are not, to all neighbours of a node that lies.
    void flood_from(uint32_t liar, uint32_t count) {
        Gossip gossip;
        for (uint32_t i = 0; i < count; ++i) {
            const uint32_t index = ++made_up_;
            gossip.adverts.push_back(
                attest::sign_advert(key_of(index), {.node_id = id_of(index),
                                                    .model_root = model_root,
                                                    .layers = layers_of(index),
                                                    .url = url_of(index),
                                                    .number = 1,
                                                    .issued_at = unix_at(now_),
                                                    .not_after = unix_at(now_) + 30}));
        }
        for (const auto& [ends, link] : links_) {
            if (ends.first == liar) gossip.to.push_back(id_of(ends.second));
            if (ends.second == liar) gossip.to.push_back(id_of(ends.first));
        }
        const uint64_t before = adverts_sent_;
        send(liar, gossip);
        adverts_sent_ = before;
    }

    /// Every living node knows every other one as it is now.
    bool living_are_known() const {
        return std::ranges::all_of(nodes_, [&](const auto& node) {
            const auto known = urls_known_to(node.second);
            return std::ranges::all_of(nodes_, [&](const auto& other) {
                return other.first == node.first || known.contains(other.second.url);
            });
        });
    }
    /// And nobody else.
    bool all_know_the_living() const {
        return living_are_known() && std::ranges::all_of(nodes_, [&](const auto& node) {
                   return urls_known_to(node.second).size() == nodes_.size() - 1;
               });
    }
    bool some_suspect(uint32_t index) const {
        return std::ranges::any_of(nodes_, [&](const auto& node) {
            return std::ranges::any_of(node.second.directory->nodes(now_), [&](const auto& known) {
                return known.suspect && known.advert.node_id == id_of(index);
            });
        });
    }
    size_t remembered_max() const {
        size_t most = 0;
        for (const auto& [index, node] : nodes_)
            most = std::max(most, node.directory->remembered_count());
        return most;
    }
    uint64_t throttled_count() const {
        uint64_t count = 0;
        for (const auto& [index, node] : nodes_) count += node.directory->counters().throttled;
        return count;
    }
    size_t living_count() const { return nodes_.size(); }
    size_t link_count() const { return links_.size(); }
    /// Over links, lost ones included; those of flood_from are not.
    uint64_t adverts_sent() const { return adverts_sent_; }

  private:
    struct Node {
        std::unique_ptr<Directory> directory;
        std::string url;
        UnixSeconds skew = 0;
    };
    struct Link {
        uint64_t number = 0;
        Duration latency{};
    };
    using Ends = std::pair<uint32_t, uint32_t>;
    struct Delivery {
        uint32_t from = 0;
        uint32_t to = 0;
        uint64_t link_number = 0;
        std::vector<attest::SignedAdvert> adverts;
    };

    uint64_t below(uint64_t end) { return random_() % end; }
    UnixSeconds unix_now(const Node& node) const { return unix_at(now_) + node.skew; }
    Directory& directory(uint32_t index) { return *nodes_.at(index).directory; }

    std::multiset<std::string> urls_known_to(const Node& node) const {
        std::multiset<std::string> out;
        for (const KnownNode& known : node.directory->nodes(now_)) out.insert(known.advert.url);
        return out;
    }

    void send(uint32_t from, const Gossip& gossip) {
        for (const wire::NodeId& id : gossip.to) {
            const uint32_t to = index_of(id);
            adverts_sent_ += gossip.adverts.size();
            if (gossip.adverts.empty() || below(100) < options_.loss_percent) continue;
            const Link& link = links_.at(Ends(std::minmax(from, to)));
            queue_.emplace(std::pair(now_ + link.latency, ++sent_),
                           Delivery{from, to, link.number, gossip.adverts});
        }
    }

    void deliver(Delivery delivery) {
        const auto found = links_.find(Ends(std::minmax(delivery.from, delivery.to)));
        if (found == links_.end() || found->second.number != delivery.link_number) return;
        const Node& node = nodes_.at(delivery.to);
        send(delivery.to, node.directory->on_adverts(now_, unix_now(node), id_of(delivery.from),
                                                     std::move(delivery.adverts)));
    }

    Options options_;
    std::mt19937_64 random_;
    Instant now_ = std::chrono::seconds(1000);
    std::map<uint32_t, Node> nodes_;
    std::map<Ends, Link> links_;
    std::map<std::pair<Instant, uint64_t>, Delivery> queue_;
    uint64_t sent_ = 0;
    uint64_t adverts_sent_ = 0;
    uint64_t link_number_ = 0;
    uint32_t made_up_ = 10'000;
};

}  // namespace teetee::pipeline::testing
