// SPDX-License-Identifier: Apache-2.0
#include "api/sign_ins.hpp"

#include <algorithm>
#include <ctime>

#include "base/bytes.hpp"
#include "crypto/hash.hpp"

namespace teetee::api {
namespace {

constexpr size_t host_bytes_max = 255;

/// RFC 3339, in UTC.
std::string time_text(UnixSeconds time) {
    const std::time_t seconds = time;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char out[32];
    const size_t length = std::strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {out, length};
}

bool is_host(std::string_view text) {
    return !text.empty() && text.size() <= host_bytes_max && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-._:[]").find(c) != std::string_view::npos;
    });
}

template <class Map, class Order>
void keep(Map& map, Order& order, const typename Map::key_type& key,
          const typename Map::mapped_type& value, size_t count_max) {
    map[key] = value;
    order.push_back(key);
    for (; order.size() > count_max; order.pop_front()) map.erase(order.front());
}

}  // namespace

Result<std::string> SignIns::challenge(const crypto::Address& wallet, std::string_view host) {
    if (!is_host(host)) return fail(ErrorCode::field_invalid, "the Host header names no host");
    const UnixSeconds now = clock_.unix_now();
    ByteArray<16> nonce{};
    rng_.fill(nonce);
    const std::string message =
        std::string(host) + " wants you to sign in with your Ethereum account:\n" +
        chain::to_checksum_text(wallet) + "\n\nUse, free of charge, a model that you host.\n\n" +
        "URI: teetee:" + chain::to_checksum_text(options_.entry) +
        "\nVersion: 1\nChain ID: " + std::to_string(options_.deployment.chain_id) +
        "\nNonce: " + to_hex(nonce) + "\nIssued At: " + time_text(now) +
        "\nExpiration Time: " + time_text(now + options_.challenge_s);
    keep(challenges_, challenge_order_, crypto::keccak256(as_bytes(message)),
         Known{.wallet = wallet, .expires = now + options_.challenge_s}, options_.count_max);
    return message;
}

Result<SignIns::Token> SignIns::sign_in(std::string_view message, ByteView signature) {
    const auto found = challenges_.find(crypto::keccak256(as_bytes(message)));
    const UnixSeconds now = clock_.unix_now();
    if (found == challenges_.end() || now >= found->second.expires) {
        return fail(ErrorCode::sign_in_rejected,
                    "the message is none of this entry's, or was used, or is too old");
    }
    const auto signer = crypto::recover_address(chain::personal_digest(message), signature);
    if (!signer || *signer != found->second.wallet)
        return fail(ErrorCode::sign_in_rejected, "the message is not signed by its wallet");
    const Known known = {.wallet = found->second.wallet, .expires = now + options_.token_s};
    challenges_.erase(found);
    Token out = {.expires = known.expires};
    rng_.fill(out.token);
    keep(tokens_, token_order_, out.token, known, options_.count_max);
    return out;
}

Result<crypto::Address> SignIns::wallet_of(const ByteArray<32>& token) const {
    const auto found = tokens_.find(token);
    if (found == tokens_.end() || clock_.unix_now() >= found->second.expires)
        return fail(ErrorCode::sign_in_rejected, "sign in again: the token is unknown or too old");
    return found->second.wallet;
}

}  // namespace teetee::api
