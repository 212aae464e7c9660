// SPDX-License-Identifier: Apache-2.0
#include "attest/advert.hpp"

#include <algorithm>

#include "attest/binary_fields.hpp"
#include "attest/limits.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

constexpr std::string_view advert_tag = "teetee advert v1";

Error malformed(std::string detail) {
    return in_context("advert", fail(ErrorCode::advert_malformed, std::move(detail)));
}

Result<std::string> read_url(ByteReader& reader, std::string_view field) {
    TT_TRY(const ByteView run, read_run(reader, {.least = 0, .most = advert_url_bytes_max}, field));
    return std::string(as_text(run));
}

Result<bool> read_flag(ByteReader& reader, std::string_view field) {
    TT_TRY(const uint8_t flag, reader.read_u8());
    if (flag > 1) return field_error(field, std::to_string(flag), "0 or 1");
    return flag == 1;
}

Result<Load> read_load(ByteReader& reader) {
    Load out;
    TT_TRY(out.sequences_free, reader.read_u32());
    TT_TRY(out.positions_free, reader.read_u64());
    TT_TRY(out.rows_queued, reader.read_u32());
    TT_TRY(out.rows_per_second, reader.read_u32());
    return out;
}

Result<Advert> decode_fields(ByteReader& reader) {
    Advert out;
    TT_CHECK(read_tag(reader, advert_tag));
    TT_TRY(out.node_id, reader.read_array<20>());
    TT_TRY(out.model_root, reader.read_array<32>());
    TT_TRY(out.layers.begin, reader.read_u32());
    TT_TRY(out.layers.end, reader.read_u32());
    TT_TRY(out.url, read_url(reader, "url"));
    TT_TRY(out.api_url, read_url(reader, "api_url"));
    TT_TRY(out.api_tls_url, read_url(reader, "api_tls_url"));
    TT_TRY(out.number, reader.read_u64());
    TT_TRY(out.issued_at, read_time(reader, "issued_at"));
    TT_TRY(out.not_after, read_time(reader, "not_after"));
    TT_TRY(out.draining, read_flag(reader, "draining"));
    TT_TRY(out.load, read_load(reader));
    TT_CHECK(ensure_at_end(reader));
    return out;
}

Result<void> ensure_url(std::string_view field, std::string_view url,
                        std::initializer_list<std::string_view> schemes) {
    if (url.size() > advert_url_bytes_max) {
        return field_error(field, std::to_string(url.size()) + " bytes",
                           "at most " + std::to_string(advert_url_bytes_max));
    }
    if (!std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7f; }))
        return field_error(field, quote_foreign(url), "visible ASCII");
    const bool is_known = std::ranges::any_of(schemes, [&](std::string_view scheme) {
        return url.starts_with(scheme) && url.size() > scheme.size();
    });
    if (is_known) return {};
    return field_error(field, quote_foreign(url), std::string(*schemes.begin()) + "...");
}

/// May be empty, and must be where the entry's layers are not.
Result<void> ensure_api_url(std::string_view field, std::string_view url, const LayerRange& layers,
                            std::initializer_list<std::string_view> schemes) {
    if (url.empty()) return {};
    if (layers.begin != 0)
        return field_error(field, "layer " + std::to_string(layers.begin), "none behind layer 0");
    return ensure_url(field, url, schemes);
}

Result<void> ensure_fields(const Advert& advert) {
    TT_CHECK(ensure_layers(advert.layers));
    TT_CHECK(ensure_url("url", advert.url, {"tls://"}));
    TT_CHECK(ensure_api_url("api_url", advert.api_url, advert.layers, {"https://", "http://"}));
    TT_CHECK(ensure_api_url("api_tls_url", advert.api_tls_url, advert.layers, {"https://"}));
    if (advert.issued_at < 0 || advert.not_after > unix_seconds_max ||
        advert.not_after <= advert.issued_at ||
        advert.not_after - advert.issued_at > advert_lifetime_s_max) {
        return field_error(
            "validity", std::to_string(advert.issued_at) + ".." + std::to_string(advert.not_after),
            "1 to " + std::to_string(advert_lifetime_s_max) + " s");
    }
    return {};
}

Digest digest_of(ByteView encoded) {
    return crypto::keccak256(encoded);
}

}  // namespace

Result<void> validate(const Advert& advert) {
    const auto valid = ensure_fields(advert);
    if (!valid) return malformed(valid.error().detail);
    return {};
}

Bytes encode_advert(const Advert& advert) {
    ByteWriter out;
    out.length_prefixed(as_bytes(advert_tag));
    out.bytes(advert.node_id);
    out.bytes(advert.model_root);
    out.u32(advert.layers.begin);
    out.u32(advert.layers.end);
    out.length_prefixed(as_bytes(advert.url));
    out.length_prefixed(as_bytes(advert.api_url));
    out.length_prefixed(as_bytes(advert.api_tls_url));
    out.u64(advert.number);
    out.u64(static_cast<uint64_t>(advert.issued_at));
    out.u64(static_cast<uint64_t>(advert.not_after));
    out.u8(advert.draining ? 1 : 0);
    out.u32(advert.load.sequences_free);
    out.u64(advert.load.positions_free);
    out.u32(advert.load.rows_queued);
    out.u32(advert.load.rows_per_second);
    return out.take();
}

Result<Advert> decode_advert(ByteView encoded) {
    if (encoded.size() > advert_bytes_max) {
        return malformed("have " + std::to_string(encoded.size()) + " bytes, need at most " +
                         std::to_string(advert_bytes_max));
    }
    ByteReader reader(encoded);
    auto decoded = decode_fields(reader);
    if (!decoded) return malformed(decoded.error().detail);
    TT_CHECK(validate(*decoded));
    return decoded;
}

SignedAdvert sign_advert(const crypto::SecpKey& receipt_key, const Advert& advert) {
    TT_ASSERT(advert.node_id == receipt_key.address());
    SignedAdvert out{.encoded = encode_advert(advert)};
    out.signature = receipt_key.sign_recoverable(digest_of(out.encoded));
    return out;
}

Result<void> verify_advert(const Advert& advert, const crypto::RecoverableSignature& signature) {
    TT_TRY(const auto signer, crypto::recover_address(digest_of(encode_advert(advert)), signature));
    if (signer == advert.node_id) return {};
    return fail(ErrorCode::signature_invalid,
                "advert: have signer 0x" + to_hex(signer) + ", need 0x" + to_hex(advert.node_id));
}

Result<Advert> open_advert(const SignedAdvert& signed_advert) {
    TT_TRY(Advert advert, decode_advert(signed_advert.encoded));
    TT_CHECK(verify_advert(advert, signed_advert.signature));
    return advert;
}

}  // namespace teetee::attest
