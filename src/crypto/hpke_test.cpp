// SPDX-License-Identifier: Apache-2.0
#include "crypto/hpke.hpp"

#include <gtest/gtest.h>

#include "crypto/hkdf.hpp"

namespace teetee::crypto {
namespace {

struct Vector {
    AeadAlgorithm aead;
    const char* recipient_secret;
    const char* ephemeral_secret;
    const char* encapsulated_key;
    std::vector<std::pair<size_t, const char*>> ciphertexts;
    /// For the contexts "", 00 and "TestContext".
    std::vector<const char*> exported;
};

// RFC 9180 A.1.1 and A.2.1, and the same with AES-256-GCM from the RFC's machine-readable vectors.
// The text is always "Beauty is truth, truth beauty", the AAD "Count-" and the text's number, the
// info "Ode on a Grecian Urn".
const Vector vectors[] = {
    {AeadAlgorithm::aes_128_gcm,
     "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
     "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736",
     "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
     {{0,
       "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87"
       "e13c512a"},
      {1,
       "af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab251c03d0c22a56b8ca42"
       "c2063b84"},
      {256,
       "957f9800542b0b8891badb026d79cc54597cb2d225b54c00c5238c25d05c30e3fbeda97d2e0e1aba48"
       "3a2df9f2"}},
     {"3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee",
      "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5",
      "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931"}},
    {AeadAlgorithm::aes_256_gcm,
     "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d",
     "179d4b53b6365c45b600c4163b61d95cbc2f4d9e36f1695558dce265ab8bab11",
     "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256",
     {{0,
       "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad"
       "859d5b7a"},
      {1,
       "2c43aff25343fdbff864506f0818b9d87df84ea01b1a2144d23b4d40c26bf655fdf197fe40297a8aeb"
       "eed5cc2d"},
      {256,
       "53624f4f9f173453b14e633b45390ff54cacaa4428d44baee1bff8133fab1ab3afe60f88e4634b525c"
       "54e92eda"}},
     {"ded6cffafaea6b812cbf3e241e88332adbc077aca81512914213810ee291770a",
      "04d3cb6cc116b28ffd22ad5bc276c60d31fec71ceb87ae24db811c64b7507339",
      "7c5ded445732c14fe09727d29b4251c0fd38455fe8440571e687f0886aac94d2"}},
    {AeadAlgorithm::chacha20_poly1305,
     "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
     "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600",
     "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
     {{0,
       "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2d"
       "d1b51a28"},
      {1,
       "6b53c051e4199c518de79594e1c4ab18b96f081549d45ce015be002090bb119e85285337cc95ba5f59"
       "992dc98c"},
      {256,
       "7a4a13e9ef23978e2c520fd4d2e757514ae160cd0cd05e556ef692370ca53076214c0c40d4c728d6ed"
       "9e727a5b"}},
     {"4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e",
      "8c1df14732580e5501b00f82b10a1647b40713191b7c1240ac80e2b68808ba69",
      "5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53"}},
};

X25519Key key_from(const char* hex) {
    return X25519Key::from_bytes(from_hex(hex).value()).value();
}

constexpr std::string_view info = "Ode on a Grecian Urn";
constexpr std::string_view truth = "Beauty is truth, truth beauty";

template <class Context>
void expect_exports(const Context& context, const Vector& vector) {
    const Bytes contexts[] = {{}, {0}, from_hex("54657374436f6e74657874").value()};
    for (size_t i = 0; i < 3; ++i) {
        Secret<32> secret;
        ASSERT_TRUE(context.export_secret(contexts[i], secret.writable()));
        EXPECT_EQ(to_hex(secret.view()), vector.exported[i]);
    }
}

TEST(hpke, is_that_of_rfc_9180) {
    for (const Vector& vector : vectors) {
        const HpkeSetup setup{.aead = vector.aead, .info = as_bytes(info)};
        const X25519Key recipient_key = key_from(vector.recipient_secret);
        auto sender =
            HpkeSender::setup(setup, recipient_key.public_key(), key_from(vector.ephemeral_secret))
                .value();
        EXPECT_EQ(to_hex(sender.encapsulated_key()), vector.encapsulated_key);
        auto recipient =
            HpkeRecipient::setup(setup, recipient_key, sender.encapsulated_key()).value();
        expect_exports(sender, vector);
        expect_exports(recipient, vector);
        auto expected = vector.ciphertexts.begin();
        for (size_t i = 0; expected != vector.ciphertexts.end(); ++i) {
            const std::string aad = "Count-" + std::to_string(i);
            const Bytes sealed =
                sender.seal({.aad = as_bytes(aad), .text = as_bytes(truth)}).value();
            if (i == expected->first) {
                EXPECT_EQ(to_hex(sealed), expected->second) << i;
                ++expected;
            }
            const SecretBytes opened =
                recipient.open({.aad = as_bytes(aad), .text = sealed}).value();
            ASSERT_EQ(as_text(opened), truth) << i;
        }
    }
}

class hpke_contexts : public testing::Test {
  protected:
    static HpkeSetup setup() {
        return {.aead = AeadAlgorithm::aes_256_gcm, .info = as_bytes(info)};
    }
    SystemRng rng;
    X25519Key recipient_key = X25519Key::generate(rng).value();
    HpkeSender sender =
        HpkeSender::setup(setup(), recipient_key.public_key(), X25519Key::generate(rng).value())
            .value();
    HpkeRecipient recipient =
        HpkeRecipient::setup(setup(), recipient_key, sender.encapsulated_key()).value();
};

TEST_F(hpke_contexts, open_texts_only_in_their_order_and_whole) {
    const HpkeText plain{.aad = as_bytes("aad"), .text = as_bytes(truth)};
    const Bytes first = sender.seal(plain).value();
    const Bytes second = sender.seal(plain).value();
    const auto refused = [&](ByteView sealed, std::string_view aad) {
        const auto opened = recipient.open({.aad = as_bytes(aad), .text = sealed});
        return !opened && opened.error().code == ErrorCode::decrypt_failed;
    };
    EXPECT_TRUE(refused(second, "aad"));
    EXPECT_TRUE(refused(first, "bad"));
    EXPECT_TRUE(refused(ByteView(first).first(first.size() - 1), "aad"));
    EXPECT_TRUE(refused(ByteView(first).first(aead_tag_bytes - 1), "aad"));
    EXPECT_TRUE(refused({}, "aad"));
    for (size_t i = 0; i < first.size(); ++i) {
        Bytes changed = first;
        changed[i] ^= 1;
        EXPECT_TRUE(refused(changed, "aad")) << i;
    }
    // None of them has moved the context on.
    EXPECT_TRUE(recipient.open({.aad = as_bytes("aad"), .text = first}));
    EXPECT_TRUE(refused(first, "aad"));
    EXPECT_TRUE(recipient.open({.aad = as_bytes("aad"), .text = second}));
}

TEST_F(hpke_contexts, of_another_setup_open_nothing) {
    const Bytes sealed = sender.seal({.aad = {}, .text = as_bytes(truth)}).value();
    const auto refused = [&](const HpkeSetup& other, const X25519Key& key,
                             const X25519PublicKey& encapsulated_key) {
        auto context = HpkeRecipient::setup(other, key, encapsulated_key).value();
        const auto opened = context.open({.aad = {}, .text = sealed});
        return !opened && opened.error().code == ErrorCode::decrypt_failed;
    };
    const X25519PublicKey& key = sender.encapsulated_key();
    EXPECT_TRUE(refused({AeadAlgorithm::aes_256_gcm, as_bytes("other")}, recipient_key, key));
    EXPECT_TRUE(refused({AeadAlgorithm::chacha20_poly1305, as_bytes(info)}, recipient_key, key));
    EXPECT_TRUE(refused(setup(), X25519Key::generate(rng).value(), key));
    // X25519 ignores the highest bit, so this key agrees on the same point.
    X25519PublicKey alias = key;
    alias[31] ^= 0x80;
    EXPECT_TRUE(refused(setup(), recipient_key, alias));
}

TEST_F(hpke_contexts, refuse_keys_of_low_order) {
    EXPECT_EQ(HpkeRecipient::setup(setup(), recipient_key, X25519PublicKey{1}).error().code,
              ErrorCode::key_invalid);
    EXPECT_EQ(HpkeSender::setup(setup(), X25519PublicKey{}, recipient_key).error().code,
              ErrorCode::key_invalid);
}

TEST_F(hpke_contexts, export_no_more_than_hkdf_gives) {
    Bytes out(hkdf_expand_bytes_max);
    EXPECT_TRUE(sender.export_secret({}, out));
    out.resize(out.size() + 1);
    EXPECT_EQ(sender.export_secret({}, out).error().code, ErrorCode::limit_exceeded);
}

}  // namespace
}  // namespace teetee::crypto
