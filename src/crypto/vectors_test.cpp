// SPDX-License-Identifier: Apache-2.0
// The published vectors of the shared data folder: Keccak KAT, Wycheproof and RFC 9180.
#include <fstream>
#include <iterator>
#include <optional>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "crypto/hkdf.hpp"
#include "crypto/hpke.hpp"
#include "crypto/p256.hpp"
#include "crypto/secp256k1.hpp"
#include "crypto/x25519.hpp"

namespace teetee::crypto {
namespace {

std::optional<std::string> read_vector_file(const std::string& name) {
    std::ifstream file(std::string(TEETEE_SHARED_DATA) + "/vectors/" + name, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

Bytes hex_field(const boost::json::value& object, const char* name) {
    return from_hex(object.at(name).as_string()).value();
}

// Calls check(group, test) for every test of a Wycheproof file.
template <class Check>
size_t for_each_test(const std::string& text, Check check) {
    const auto file = boost::json::parse(text);
    size_t count = 0;
    for (const auto& group : file.at("testGroups").as_array()) {
        for (const auto& test : group.at("tests").as_array()) {
            SCOPED_TRACE(test.at("tcId").as_int64());
            check(group, test);
            ++count;
        }
    }
    return count;
}

// A "blobby" file: item count, 0, then items of a length (shifted left by one) and bytes.
class BlobReader {
  public:
    explicit BlobReader(ByteView bytes) : reader_(bytes) {}
    uint64_t number() {
        uint64_t value = 0;
        for (;;) {
            const uint8_t byte = reader_.read_u8().value();
            value |= byte & 0x7fu;
            if ((byte & 0x80) == 0) return value;
            value = (value + 1) << 7;
        }
    }
    ByteView item() { return reader_.read_bytes(number() >> 1).value(); }
    bool at_end() const { return reader_.at_end(); }

  private:
    ByteReader reader_;
};

TEST(vectors, keccak256) {
    const auto text = read_vector_file("keccak/keccak_256_kat.blb");
    if (!text) GTEST_SKIP() << "no shared data";
    BlobReader reader(as_bytes(*text));
    const uint64_t item_count = reader.number();
    ASSERT_EQ(reader.number(), 0u);
    for (uint64_t i = 0; i < item_count; i += 2) {
        const ByteView message = reader.item();
        EXPECT_EQ(to_hex(keccak256(message)), to_hex(reader.item()));
    }
    EXPECT_TRUE(reader.at_end());
}

TEST(vectors, p256_signatures) {
    const auto text = read_vector_file("wycheproof/ecdsa_secp256r1_sha256_p1363_test.json");
    if (!text) GTEST_SKIP() << "no shared data";
    const size_t count = for_each_test(*text, [](const auto& group, const auto& test) {
        const auto point = p256_point_from_spki(hex_field(group, "publicKeyDer"));
        ASSERT_TRUE(point);
        const Bytes message = hex_field(test, "msg");
        const Bytes signature = hex_field(test, "sig");
        EXPECT_EQ(verify_p256(*point, {.message = message, .signature = signature}).has_value(),
                  test.at("result").as_string() == "valid");
    });
    EXPECT_GT(count, 200u);
}

// r || s of a DER signature; nothing if it is not the canonical encoding of 32-byte numbers.
std::optional<P256Signature> raw_signature(const Bytes& der) {
    const uint8_t* cursor = der.data();
    const EcdsaSigPtr parts(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size())));
    P256Signature out;
    if (parts == nullptr || BN_is_negative(ECDSA_SIG_get0_r(parts.get())) ||
        BN_is_negative(ECDSA_SIG_get0_s(parts.get())) ||
        BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out.data(), 32) != 32 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out.data() + 32, 32) != 32 ||
        p256_signature_der(out) != der) {
        return std::nullopt;
    }
    return out;
}

TEST(vectors, secp256k1_recovery) {
    const auto text = read_vector_file("wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json");
    if (!text) GTEST_SKIP() << "no shared data";
    size_t recovered_count = 0;
    for_each_test(*text, [&](const auto& group, const auto& test) {
        const bool valid = test.at("result").as_string() == "valid";
        const auto raw = raw_signature(hex_field(test, "sig"));
        if (!raw) {
            EXPECT_FALSE(valid);
            return;
        }
        const Bytes point = hex_field(group.at("publicKey"), "uncompressed");
        const Digest point_hash = keccak256(ByteView(point).subspan(1));
        const Digest digest = sha256(hex_field(test, "msg"));
        Bytes signature(raw->begin(), raw->end());
        signature.push_back(0);
        bool recovered = false;
        for (const uint8_t v : {uint8_t{27}, uint8_t{28}}) {
            signature[64] = v;
            const auto address = recover_address(digest, signature);
            recovered |=
                address && std::equal(address->begin(), address->end(), point_hash.begin() + 12);
        }
        // Contracts cannot recover the vectors whose point has an x above the order either.
        if (!valid) {
            EXPECT_FALSE(recovered);
        }
        recovered_count += recovered ? 1 : 0;
    });
    EXPECT_GT(recovered_count, 150u);
}

TEST(vectors, x25519_agreement) {
    const auto text = read_vector_file("wycheproof/x25519_test.json");
    if (!text) GTEST_SKIP() << "no shared data";
    const size_t count = for_each_test(*text, [](const auto&, const auto& test) {
        X25519PublicKey peer{};
        const Bytes encoded = hex_field(test, "public");
        ASSERT_EQ(encoded.size(), peer.size());
        std::copy(encoded.begin(), encoded.end(), peer.begin());
        const auto key = X25519Key::from_bytes(hex_field(test, "private")).value();
        const auto shared = key.agree(peer);
        const Bytes expected = hex_field(test, "shared");
        if (expected == Bytes(32)) {
            EXPECT_EQ(shared.error().code, ErrorCode::key_invalid);
        } else {
            EXPECT_EQ(to_hex(shared.value().view()), to_hex(expected));
        }
    });
    EXPECT_GT(count, 500u);
}

void expect_aead_vectors(const std::string& text, AeadAlgorithm long_key_algorithm) {
    size_t opened_count = 0;
    const size_t count = for_each_test(text, [&](const auto& group, const auto& test) {
        const auto key_bits = group.at("keySize").as_int64();
        if (group.at("ivSize").as_int64() != 96 || (key_bits != 128 && key_bits != 256)) return;
        const auto key =
            AeadKey::from_bytes(key_bits == 128 ? AeadAlgorithm::aes_128_gcm : long_key_algorithm,
                                hex_field(test, "key"))
                .value();
        AeadNonce nonce;
        const Bytes iv = hex_field(test, "iv");
        std::copy(iv.begin(), iv.end(), nonce.begin());
        const Bytes aad = hex_field(test, "aad");
        Bytes sealed = hex_field(test, "ct");
        const Bytes tag = hex_field(test, "tag");
        sealed.insert(sealed.end(), tag.begin(), tag.end());
        const Bytes plain = hex_field(test, "msg");
        const auto opened = key.open({.nonce = nonce, .aad = aad, .text = sealed});
        ASSERT_EQ(opened.has_value(), test.at("result").as_string() == "valid");
        if (!opened) return;
        EXPECT_EQ(to_hex(*opened), to_hex(plain));
        EXPECT_EQ(key.seal({.nonce = nonce, .aad = aad, .text = plain}).value(), sealed);
        ++opened_count;
    });
    EXPECT_GT(count, 300u);
    EXPECT_GT(opened_count, 70u);
}

TEST(vectors, aes_gcm) {
    const auto text = read_vector_file("wycheproof/aes_gcm_test.json");
    if (!text) GTEST_SKIP() << "no shared data";
    expect_aead_vectors(*text, AeadAlgorithm::aes_256_gcm);
}

TEST(vectors, chacha20_poly1305) {
    const auto text = read_vector_file("wycheproof/chacha20_poly1305_test.json");
    if (!text) GTEST_SKIP() << "no shared data";
    expect_aead_vectors(*text, AeadAlgorithm::chacha20_poly1305);
}

TEST(vectors, hkdf_sha256) {
    const auto text = read_vector_file("wycheproof/hkdf_sha256_test.json");
    if (!text) GTEST_SKIP() << "no shared data";
    const size_t count = for_each_test(*text, [](const auto&, const auto& test) {
        const Bytes salt = hex_field(test, "salt");
        const Bytes material = hex_field(test, "ikm");
        const Bytes info = hex_field(test, "info");
        const auto key = hkdf_extract({.salt = salt, .key_material = material});
        Bytes out(static_cast<size_t>(test.at("size").as_int64()));
        const auto expanded = hkdf_expand({.key = key.view(), .info = info}, out);
        ASSERT_EQ(expanded.has_value(), test.at("result").as_string() == "valid");
        if (!expanded) return;
        EXPECT_EQ(to_hex(out), to_hex(hex_field(test, "okm")));
    });
    EXPECT_GT(count, 80u);
}

std::optional<std::string> read_packed_vector_file(const std::string& name) {
    if (!read_vector_file(name)) return std::nullopt;
    const std::string command =
        "gzip -dc '" + std::string(TEETEE_SHARED_DATA) + "/vectors/" + name + "'";
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    if (pipe == nullptr) return std::nullopt;
    std::string text;
    std::array<char, 65536> buffer;
    while (const size_t count = fread(buffer.data(), 1, buffer.size(), pipe.get()))
        text.append(buffer.data(), count);
    return text;
}

// Both directions of one vector of RFC 9180's file.
void expect_hpke_vector(const boost::json::value& vector) {
    const Bytes info = hex_field(vector, "info");
    const HpkeSetup setup{.aead = static_cast<AeadAlgorithm>(vector.at("aead_id").as_int64()),
                          .info = info};
    const auto recipient_key = X25519Key::from_bytes(hex_field(vector, "skRm")).value();
    auto sender = HpkeSender::setup(setup, recipient_key.public_key(),
                                    X25519Key::from_bytes(hex_field(vector, "skEm")).value())
                      .value();
    EXPECT_EQ(to_hex(recipient_key.public_key()), vector.at("pkRm").as_string());
    ASSERT_EQ(to_hex(sender.encapsulated_key()), vector.at("enc").as_string());
    auto recipient = HpkeRecipient::setup(setup, recipient_key, sender.encapsulated_key()).value();
    for (const auto& text : vector.at("encryptions").as_array()) {
        const Bytes aad = hex_field(text, "aad");
        const Bytes plain = hex_field(text, "pt");
        const Bytes sealed = sender.seal({.aad = aad, .text = plain}).value();
        EXPECT_EQ(to_hex(sealed), text.at("ct").as_string());
        EXPECT_EQ(to_hex(recipient.open({.aad = aad, .text = sealed}).value()), to_hex(plain));
    }
    for (const auto& exported : vector.at("exports").as_array()) {
        Bytes out(static_cast<size_t>(exported.at("L").as_int64()));
        ASSERT_TRUE(recipient.export_secret(hex_field(exported, "exporter_context"), out));
        EXPECT_EQ(to_hex(out), exported.at("exported_value").as_string());
    }
}

TEST(vectors, hpke) {
    const auto text = read_packed_vector_file("hpke/vectors_rfc9180_5f503c5.json.gz");
    if (!text) GTEST_SKIP() << "no shared data";
    constexpr int64_t export_only = 0xffff;
    const auto file = boost::json::parse(*text);
    size_t count = 0;
    for (const auto& vector : file.as_array()) {
        if (vector.at("mode").as_int64() != 0 ||
            vector.at("kem_id").as_int64() != hpke_kem_x25519_sha256 ||
            vector.at("kdf_id").as_int64() != hpke_kdf_sha256 ||
            vector.at("aead_id").as_int64() == export_only) {
            continue;
        }
        SCOPED_TRACE(vector.at("aead_id").as_int64());
        expect_hpke_vector(vector);
        ++count;
    }
    EXPECT_EQ(count, 3u);
}

}  // namespace
}  // namespace teetee::crypto
