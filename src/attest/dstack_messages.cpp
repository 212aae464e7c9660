// SPDX-License-Identifier: Apache-2.0
#include "attest/dstack_messages.hpp"

#include <boost/json.hpp>

#include "attest/limits.hpp"
#include "base/strict_json.hpp"
#include "crypto/hmac.hpp"
#include "crypto/p256.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

constexpr size_t depth_max = 8;
constexpr std::string_view key_path = "teetee";

Error unavailable(std::string detail) {
    return fail(ErrorCode::evidence_unavailable, "answer: " + std::move(detail));
}

Result<json::value> parse_answer(std::string_view text) {
    auto parsed =
        parse_strict_json(text, {.bytes_max = dstack_answer_bytes_max, .depth_max = depth_max});
    if (!parsed) return unavailable(parsed.error().detail);
    return parsed;
}

Result<std::string_view> text_member(const json::value& answer, std::string_view key) {
    const json::object* object = answer.if_object();
    const json::value* value =
        object == nullptr ? nullptr : object->if_contains({key.data(), key.size()});
    if (value == nullptr || !value->is_string()) {
        return unavailable("have no text \"" + std::string(key) + "\", need one");
    }
    return std::string_view(value->get_string().data(), value->get_string().size());
}

// The current agent has 32 bytes in hex, the legacy one a PEM private key.
Result<crypto::SecretBytes> key_bytes(DstackApi api, std::string_view text) {
    if (api == DstackApi::legacy) {
        const auto key = crypto::P256Key::from_pem(text);
        if (!key) return unavailable("key: " + key.error().detail);
        return key->to_pem();
    }
    auto bytes = array_from_hex<32>(text);
    if (!bytes) return unavailable("key: " + bytes.error().detail);
    const crypto::Secret<32> secret(*bytes);
    OPENSSL_cleanse(bytes->data(), bytes->size());
    return crypto::SecretBytes(secret.view().begin(), secret.view().end());
}

}  // namespace

DstackRequest dstack_quote_request(DstackApi api, const ByteArray<64>& report_data) {
    json::object body = {{"report_data", to_hex(report_data)}};
    if (api == DstackApi::current) return {"/GetQuote", json::serialize(body)};
    body["hash_algorithm"] = "raw";
    return {"/prpc/Tappd.TdxQuote", json::serialize(body)};
}

Result<Bytes> parse_dstack_quote(std::string_view text) {
    TT_TRY(const json::value answer, parse_answer(text));
    TT_TRY(const std::string_view hex, text_member(answer, "quote"));
    if (hex.size() > 2 * quote_bytes_max + 2) {
        return unavailable("quote: have " + std::to_string(hex.size()) + " digits, need at most " +
                           std::to_string(2 * quote_bytes_max));
    }
    auto quote = from_hex(hex);
    if (!quote) return unavailable("quote: " + quote.error().detail);
    return quote;
}

DstackRequest dstack_key_request(DstackApi api, std::string_view purpose) {
    // The path alone tells keys apart: purpose and algorithm leave the key as it is.
    const std::string path = std::string(key_path) + "/" + std::string(purpose);
    if (api == DstackApi::legacy) {
        return {"/prpc/Tappd.DeriveKey", json::serialize(json::object{{"path", path}})};
    }
    return {"/GetKey", json::serialize(json::object{
                           {"path", path}, {"purpose", purpose}, {"algorithm", "secp256k1"}})};
}

Result<crypto::Secret<32>> parse_dstack_key(DstackApi api, std::string_view text,
                                            std::string_view purpose) {
    TT_TRY(const json::value answer, parse_answer(text));
    TT_TRY(const std::string_view encoded, text_member(answer, "key"));
    TT_TRY(const auto key, key_bytes(api, encoded));
    ByteWriter context;
    context.length_prefixed(as_bytes("teetee dstack sealing v1"));
    context.length_prefixed(as_bytes(purpose));
    return crypto::Secret<32>(crypto::hmac_sha256(key, context.view()));
}

std::string dstack_error(std::string_view text) {
    const auto answer = parse_answer(text);
    const auto error = answer ? text_member(*answer, "error") : Result<std::string_view>("");
    return quote_foreign(error ? *error : "");
}

}  // namespace teetee::attest
