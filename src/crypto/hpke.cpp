// SPDX-License-Identifier: Apache-2.0
#include "crypto/hpke.hpp"

#include "crypto/hkdf.hpp"

namespace teetee::crypto {
namespace {

/// HKDF whose inputs are labelled with a suite (RFC 9180 section 4).
class LabeledHkdf {
  public:
    /// "KEM" and one id, or "HPKE" and three.
    LabeledHkdf(std::string_view kind, std::initializer_list<uint16_t> ids) {
        for (const char c : kind) suite_.push_back(static_cast<uint8_t>(c));
        for (const uint16_t id : ids) append_u16(suite_, id);
    }

    struct Extract {
        ByteView salt;
        std::string_view label;
        ByteView key_material;
    };
    Secret<32> extract(const Extract& input) const {
        SecretBytes labeled;
        append(labeled, as_bytes("HPKE-v1"));
        append(labeled, suite_);
        append(labeled, as_bytes(input.label));
        append(labeled, input.key_material);
        return hkdf_extract({.salt = input.salt, .key_material = labeled});
    }

    struct Expand {
        ByteView key;
        std::string_view label;
        ByteView info;
    };
    Result<void> expand(const Expand& input, std::span<uint8_t> out) const {
        Bytes labeled;
        // Beyond 16 bits the call below is refused anyway.
        append_u16(labeled, static_cast<uint16_t>(out.size()));
        append(labeled, as_bytes("HPKE-v1"));
        append(labeled, suite_);
        append(labeled, as_bytes(input.label));
        append(labeled, input.info);
        return hkdf_expand({.key = input.key, .info = labeled}, out);
    }

  private:
    template <class Container>
    static void append(Container& out, ByteView bytes) {
        out.insert(out.end(), bytes.begin(), bytes.end());
    }
    static void append_u16(Bytes& out, uint16_t value) {
        out.push_back(static_cast<uint8_t>(value >> 8));
        out.push_back(static_cast<uint8_t>(value));
    }

    Bytes suite_;
};

LabeledHkdf suite_of(AeadAlgorithm aead) {
    return {"HPKE", {hpke_kem_x25519_sha256, hpke_kdf_sha256, static_cast<uint16_t>(aead)}};
}

/// The shared secret of the KEM (RFC 9180 section 4.1).
struct KemInput {
    ByteView agreed;
    const X25519PublicKey& encapsulated_key;
    const X25519PublicKey& recipient_key;
};
Result<Secret<32>> kem_secret(const KemInput& input) {
    const LabeledHkdf kdf("KEM", {hpke_kem_x25519_sha256});
    ByteArray<64> context;
    std::copy(input.encapsulated_key.begin(), input.encapsulated_key.end(), context.begin());
    std::copy(input.recipient_key.begin(), input.recipient_key.end(), context.begin() + 32);
    const Secret<32> key =
        kdf.extract({.salt = {}, .label = "eae_prk", .key_material = input.agreed});
    Secret<32> shared;
    TT_CHECK(kdf.expand({.key = key.view(), .label = "shared_secret", .info = context},
                        shared.writable()));
    return shared;
}

/// The key schedule in base mode (RFC 9180 section 5.1).
Result<HpkeKeys> derive_keys(const HpkeSetup& setup, const Secret<32>& shared) {
    const LabeledHkdf kdf = suite_of(setup.aead);
    ByteArray<65> context{};  // mode 0: base
    const auto place = [&context](size_t offset, const Secret<32>& part) {
        std::copy(part.view().begin(), part.view().end(), context.begin() + offset);
    };
    place(1, kdf.extract({.salt = {}, .label = "psk_id_hash", .key_material = {}}));
    place(33, kdf.extract({.salt = {}, .label = "info_hash", .key_material = setup.info}));
    const Secret<32> secret =
        kdf.extract({.salt = shared.view(), .label = "secret", .key_material = {}});
    SecretBytes key(aead_key_bytes(setup.aead));
    AeadNonce base_nonce;
    Secret<32> exporter;
    TT_CHECK(kdf.expand({.key = secret.view(), .label = "key", .info = context}, key));
    TT_CHECK(
        kdf.expand({.key = secret.view(), .label = "base_nonce", .info = context}, base_nonce));
    TT_CHECK(
        kdf.expand({.key = secret.view(), .label = "exp", .info = context}, exporter.writable()));
    TT_TRY(auto aead_key, AeadKey::from_bytes(setup.aead, key));
    return HpkeKeys{std::move(aead_key), NonceSequence(base_nonce), std::move(exporter),
                    setup.aead};
}

}  // namespace

Result<void> HpkeKeys::export_secret(ByteView context, std::span<uint8_t> out) const {
    return suite_of(aead).expand({.key = exporter.view(), .label = "sec", .info = context}, out);
}

Result<HpkeSender> HpkeSender::setup(const HpkeSetup& setup, const X25519PublicKey& recipient,
                                     const X25519Key& ephemeral) {
    TT_TRY(const auto agreed, ephemeral.agree(recipient));
    TT_TRY(const auto shared, kem_secret({.agreed = agreed.view(),
                                          .encapsulated_key = ephemeral.public_key(),
                                          .recipient_key = recipient}));
    TT_TRY(auto keys, derive_keys(setup, shared));
    return HpkeSender(ephemeral.public_key(), std::move(keys));
}

Result<Bytes> HpkeSender::seal(const HpkeText& plain) {
    TT_TRY(const auto nonce, keys_.nonces.peek());
    TT_TRY(Bytes sealed, keys_.key.seal({.nonce = nonce, .aad = plain.aad, .text = plain.text}));
    keys_.nonces.advance();
    return sealed;
}

Result<HpkeRecipient> HpkeRecipient::setup(const HpkeSetup& setup, const X25519Key& recipient,
                                           const X25519PublicKey& encapsulated_key) {
    TT_TRY(const auto agreed, recipient.agree(encapsulated_key));
    TT_TRY(const auto shared, kem_secret({.agreed = agreed.view(),
                                          .encapsulated_key = encapsulated_key,
                                          .recipient_key = recipient.public_key()}));
    TT_TRY(auto keys, derive_keys(setup, shared));
    return HpkeRecipient(std::move(keys));
}

Result<SecretBytes> HpkeRecipient::open(const HpkeText& sealed) {
    TT_TRY(const auto nonce, keys_.nonces.peek());
    TT_TRY(SecretBytes plain,
           keys_.key.open({.nonce = nonce, .aad = sealed.aad, .text = sealed.text}));
    keys_.nonces.advance();
    return plain;
}

}  // namespace teetee::crypto
