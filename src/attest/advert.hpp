// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/request.hpp"
#include "base/world.hpp"
#include "crypto/secp256k1.hpp"

namespace teetee::attest {

/// How busy a node says it is.
struct Load {
    uint32_t sequences_free = 0;
    /// KV positions.
    uint64_t positions_free = 0;
    uint32_t rows_queued = 0;
    /// What its engine computes at full load; 0 where that is not known yet.
    uint32_t rows_per_second = 0;
    bool operator==(const Load&) const = default;
};

/// What a node tells all nodes of its model about itself, for a short while. It proves that the
/// holder of the receipt key said so and nothing else: whoever uses the node verifies its evidence
/// when they link.
struct Advert {
    /// Address of the receipt key that signs it.
    crypto::Address node_id{};
    Digest model_root{};
    LayerRange layers;
    /// Where other nodes link: "tls://host:port", visible ASCII, at most advert_url_bytes_max.
    std::string url{};
    /// Where clients ask: "http://..." or "https://...", and "https://..." with the attested
    /// certificate; with the same limits. Empty where they cannot, as on every node that does not
    /// have layer 0.
    std::string api_url{};
    std::string api_tls_url{};
    /// Rises with every advert of the node, over its restarts too: a higher one supersedes.
    uint64_t number = 0;
    UnixSeconds issued_at = 0;
    /// After issued_at, by advert_lifetime_s_max at most.
    UnixSeconds not_after = 0;
    /// Takes no new requests, and goes away when those it has are over.
    bool draining = false;
    Load load{};

    bool operator==(const Advert&) const = default;
};

/// As it goes from node to node.
struct SignedAdvert {
    Bytes encoded{};
    crypto::RecoverableSignature signature{};
    bool operator==(const SignedAdvert&) const = default;
};

/// The limits above. Error: advert_malformed.
Result<void> validate(const Advert& advert);

/// The one encoding of an advert that is valid:
///   length-prefixed "teetee advert v1", 20 bytes node id, 32 bytes model root, u32 first layer,
///   u32 end layer, length-prefixed URL, length-prefixed API URL, length-prefixed attested
///   API URL, u64 number, u64 issued at, u64 not after, u8 draining (0 or 1), u32 sequences free,
///   u64 positions free, u32 rows queued, u32 rows a second; integers little-endian.
Bytes encode_advert(const Advert& advert);

/// Strict: valid, nothing behind the end, so that encoding again gives the same bytes. Says nothing
/// of who made it. Error: advert_malformed.
Result<Advert> decode_advert(ByteView encoded);

/// keccak256 of the encoding, signed by the receipt key. `advert.node_id` MUST be the key's.
SignedAdvert sign_advert(const crypto::SecpKey& receipt_key, const Advert& advert);

/// Error: signature_invalid unless the node that the advert names has signed it.
Result<void> verify_advert(const Advert& advert, const crypto::RecoverableSignature& signature);

/// Decoded and verified. Errors: advert_malformed, signature_invalid.
Result<Advert> open_advert(const SignedAdvert& signed_advert);

}  // namespace teetee::attest
