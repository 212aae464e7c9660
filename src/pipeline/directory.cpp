// SPDX-License-Identifier: Apache-2.0
#include "pipeline/directory.hpp"

#include <algorithm>
#include <tuple>

#include "base/assert.hpp"
#include "wire/limits.hpp"

namespace teetee::pipeline {

using std::chrono::seconds;

std::vector<wire::Adverts> messages_of(const Gossip& gossip) {
    std::vector<wire::Adverts> out;
    for (size_t i = 0; i < gossip.adverts.size(); ++i) {
        if (i % wire::Limits{}.adverts_max == 0) out.emplace_back();
        out.back().adverts.push_back({gossip.adverts[i].encoded, gossip.adverts[i].signature});
    }
    return out;
}

std::vector<attest::SignedAdvert> adverts_of(wire::Adverts message) {
    std::vector<attest::SignedAdvert> out;
    for (wire::Advert& advert : message.adverts)
        out.push_back({std::move(advert.encoded), advert.signature});
    return out;
}

Directory::Directory(DirectoryOptions options) : options_(std::move(options)) {
    TT_ASSERT(options_.sign && options_.layers.end <= options_.layer_count);
}

Result<void> Directory::set_own(OwnState own) {
    TT_CHECK(attest::validate(advert_of(own, 0)));
    const bool only_load_changed = own_ && own_->url == own.url && own_->api_url == own.api_url &&
                                   own_->api_tls_url == own.api_tls_url &&
                                   own_->draining == own.draining;
    if (!only_load_changed) due_at_ = {};
    own_ = std::move(own);
    return {};
}

void Directory::set_registry(std::vector<RegistryEntry> entries) {
    if (entries.size() > options_.nodes_max) entries.resize(options_.nodes_max);
    registry_ = std::move(entries);
}

Gossip Directory::on_link_up(Instant now, const wire::NodeId& peer) {
    links_.insert(peer);
    Gossip out{.to = {peer}};
    if (own_signed_) out.adverts.push_back(*own_signed_);
    for (auto& [id, known] : known_) {
        if (id == peer) known.suspected_at.reset();
        if (id != peer && known.live_until > now)
            out.adverts.push_back({attest::encode_advert(known.advert), known.signature});
    }
    return out;
}

void Directory::on_link_down(Instant now, const wire::NodeId& peer) {
    links_.erase(peer);
    suspect(now, peer);
}

void Directory::suspect(Instant now, const wire::NodeId& node) {
    const auto found = known_.find(node);
    if (found != known_.end()) found->second.suspected_at = now;
}

Gossip Directory::on_adverts(Instant now, UnixSeconds unix_now, const wire::NodeId& from,
                             std::vector<attest::SignedAdvert> batch) {
    if (!links_.contains(from)) return {};
    Gossip out;
    TokenBucket& bucket = buckets_[from];
    for (size_t i = 0; i < batch.size(); ++i) {
        if (!bucket.take(now, options_.adverts_per_peer)) {
            counters_.throttled += batch.size() - i;
            break;
        }
        if (take(now, unix_now, batch[i])) out.adverts.push_back(std::move(batch[i]));
    }
    if (out.adverts.empty()) return {};
    std::ranges::copy_if(links_, std::back_inserter(out.to),
                         [&](const wire::NodeId& peer) { return peer != from; });
    return out;
}

Gossip Directory::on_timer(Instant now, UnixSeconds unix_now) {
    if (now < due_at_) return {};
    due_at_ = now + options_.refresh;
    std::erase_if(known_, [&](const auto& known) { return known.second.forget_at <= now; });
    std::erase_if(buckets_, [&](const auto& bucket) { return bucket.second.full_at() <= now; });
    if (!own_) return {};
    own_advert_ = advert_of(*own_, unix_now);
    number_ = own_advert_->number;
    own_signed_ = options_.sign(*own_advert_);
    return {.to = {links_.begin(), links_.end()}, .adverts = {*own_signed_}};
}

std::vector<KnownNode> Directory::nodes(Instant now) const {
    std::vector<KnownNode> out;
    for (const auto& [id, known] : known_) {
        if (known.live_until > now)
            out.push_back({known.advert, links_.contains(id), known.suspected_at.has_value()});
    }
    return out;
}

std::vector<WantedLink> Directory::wanted(Instant now) const {
    std::vector<WantedLink> out;
    std::set<std::string_view> urls;
    if (own_) urls.insert(own_->url);
    for (const auto& [id, known] : known_) {
        if (known.live_until <= now) continue;
        urls.insert(known.advert.url);
        if (is_to_be_dialled(known.advert))
            out.push_back({known.advert.url, id, links_.contains(id)});
    }
    const auto is_known = [&](const wire::NodeId& id) {
        const auto found = known_.find(id);
        return id == options_.node_id || (found != known_.end() && found->second.live_until > now);
    };
    for (const RegistryEntry& entry : registry_) {
        if (entry.node_id && is_known(*entry.node_id)) continue;
        if (entry.layers && !is_next(*entry.layers) && !links_.empty()) continue;
        if (urls.insert(entry.url).second) out.push_back({entry.url, entry.node_id});
    }
    return out;
}

/// The number rises with the clock, so that it needs no memory of an earlier life.
attest::Advert Directory::advert_of(const OwnState& own, UnixSeconds unix_now) const {
    return {.node_id = options_.node_id,
            .model_root = options_.model_root,
            .layers = options_.layers,
            .url = own.url,
            .api_url = own.api_url,
            .api_tls_url = own.api_tls_url,
            .number = std::max(number_ + 1, static_cast<uint64_t>(unix_now) * 1000),
            .issued_at = unix_now,
            .not_after = unix_now + options_.lifetime.count(),
            .draining = own.draining,
            .load = own.load};
}

/// True for what is to be passed on. What is cheap to refuse is refused before the signature.
bool Directory::take(Instant now, UnixSeconds unix_now, const attest::SignedAdvert& sent) {
    auto advert = attest::decode_advert(sent.encoded);
    if (!advert || !is_acceptable(*advert, unix_now)) {
        ++counters_.refused;
    } else if (!is_news(*advert)) {
        ++counters_.old;
    } else if (!has_room(*advert)) {
        ++counters_.without_room;
    } else if (!attest::verify_advert(*advert, sent.signature)) {
        ++counters_.refused;
    } else if (advert->node_id == options_.node_id) {
        // Of an earlier life, whose clock was ahead: the next advert supersedes it.
        number_ = advert->number;
        ++counters_.refused;
    } else {
        remember(now, unix_now, std::move(advert).value(), sent.signature);
        ++counters_.taken;
        return true;
    }
    return false;
}

bool Directory::is_acceptable(const attest::Advert& advert, UnixSeconds unix_now) const {
    const UnixSeconds skew = options_.skew.count();
    return advert.model_root == options_.model_root && advert.layers.end <= options_.layer_count &&
           advert.issued_at <= unix_now + skew && unix_now < advert.not_after + skew;
}

bool Directory::is_news(const attest::Advert& advert) const {
    if (advert.node_id == options_.node_id) return advert.number > number_;
    const auto found = known_.find(advert.node_id);
    return found == known_.end() || advert.number > found->second.advert.number;
}

bool Directory::has_room(const attest::Advert& advert) const {
    if (!known_.contains(advert.node_id) && known_.size() >= options_.nodes_max) return false;
    const auto beside = std::ranges::count_if(known_, [&](const auto& known) {
        return known.first != advert.node_id && known.second.advert.layers == advert.layers;
    });
    return static_cast<size_t>(beside) < options_.nodes_per_layers_max;
}

void Directory::remember(Instant now, UnixSeconds unix_now, attest::Advert advert,
                         const crypto::RecoverableSignature& signature) {
    Known& known = known_[advert.node_id];
    if (known.suspected_at && now >= *known.suspected_at + options_.delay)
        known.suspected_at.reset();
    known.live_until = now + seconds(advert.not_after - advert.issued_at);
    known.forget_at = now + options_.skew + seconds(advert.not_after - unix_now);
    known.live_until = std::min(known.live_until, known.forget_at);
    known.advert = std::move(advert);
    known.signature = signature;
}

bool Directory::is_to_be_dialled(const attest::Advert& other) const {
    const LayerRange& own = options_.layers;
    if (!is_next(other.layers)) return false;
    const bool is_mutual = own.begin == layer_behind(other.layers);
    return !is_mutual ||
           std::tie(own.begin, options_.node_id) < std::tie(other.layers.begin, other.node_id);
}

bool Directory::is_next(const LayerRange& layers) const {
    return layers.begin == layer_behind(options_.layers);
}

uint32_t Directory::layer_behind(const LayerRange& layers) const {
    return layers.end == options_.layer_count ? 0 : layers.end;
}

}  // namespace teetee::pipeline
