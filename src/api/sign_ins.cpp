// SPDX-License-Identifier: Apache-2.0
#include "api/sign_ins.hpp"

#include <algorithm>
#include <ctime>

#include "base/ascii.hpp"
#include "base/bytes.hpp"
#include "crypto/hash.hpp"
#include "crypto/hmac.hpp"

namespace teetee::api {
namespace {

constexpr std::string_view behind_host = " wants you to sign in with your Ethereum account:\n";
constexpr std::string_view before_nonce = "\nNonce: ";

/// RFC 3339, in UTC.
std::string time_text(UnixSeconds time) {
    const std::time_t seconds = time;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char out[32];
    const size_t length = std::strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {out, length};
}

Error not_ours() {
    return fail(ErrorCode::sign_in_rejected,
                "the message is none of this entry's, or was used, or is too old, or is not "
                "signed by its wallet");
}

}  // namespace

SignIns::SignIns(Options options, const Clock& clock, Rng& rng)
    : options_(std::move(options)), clock_(clock), rng_(rng) {
    for (std::string& name : options_.names) name = to_lower(name);
    rng_.fill(key_);
}

/// The nonce has all that the rest of the text does not tell, and a MAC over both.
std::string SignIns::text_of(const Challenge& challenge) const {
    ByteWriter numbers;
    numbers.u64(challenge.number);
    numbers.u64(static_cast<uint64_t>(challenge.issued));
    numbers.bytes(challenge.nonce);
    const std::string text =
        challenge.host + std::string(behind_host) + chain::to_checksum_text(challenge.wallet) +
        "\n\nUse, free of charge, a model that you host.\n\n" +
        "URI: teetee:" + chain::to_checksum_text(options_.entry) +
        "\nVersion: 1\nChain ID: " + std::to_string(options_.deployment.chain_id) +
        std::string(before_nonce) + to_hex(numbers.take());
    return text + to_hex(crypto::hmac_sha256(key_, as_bytes(text))) +
           "\nIssued At: " + time_text(challenge.issued) +
           "\nExpiration Time: " + time_text(challenge.issued + options_.challenge_s);
}

Result<std::string> SignIns::challenge(const crypto::Address& wallet, std::string_view host) {
    // No page is called so.
    const std::string name = host.empty() ? "teetee" : to_lower(host);
    if (!host.empty() && std::ranges::count(options_.names, name) == 0) {
        return fail(ErrorCode::field_invalid,
                    "the Host header is none of this entry's names (--api-url tells it)");
    }
    Challenge made = {
        .host = name, .wallet = wallet, .issued = clock_.unix_now(), .number = next_number_++};
    rng_.fill(made.nonce);
    return text_of(made);
}

/// nullopt unless it is, to the letter, what was made for this wallet.
std::optional<SignIns::Challenge> SignIns::own(std::string_view message,
                                               const crypto::Address& signer) const {
    const size_t host_end = message.find(behind_host);
    const size_t nonce = message.rfind(before_nonce);
    if (host_end == std::string_view::npos || nonce == std::string_view::npos) return {};
    const auto numbers = array_from_hex<32>(message.substr(nonce + before_nonce.size(), 64));
    if (!numbers) return {};
    ByteReader in(*numbers);
    Challenge out = {.host = std::string(message.substr(0, host_end)),
                     .wallet = signer,
                     .number = in.read_u64().value()};
    out.issued = static_cast<UnixSeconds>(in.read_u64().value());
    out.nonce = in.read_array<16>().value();
    // Before anything is made of a time that may be anybody's.
    const UnixSeconds now = clock_.unix_now();
    if (out.issued > now || now - out.issued >= options_.challenge_s) return {};
    const std::string mine = text_of(out);
    // Their hashes, so that the time that it takes tells nothing of the MAC.
    if (crypto::keccak256(as_bytes(mine)) != crypto::keccak256(as_bytes(message))) return {};
    return out;
}

Result<SignIns::Token> SignIns::sign_in(std::string_view message, ByteView signature,
                                        const IsHost& is_host) {
    const auto signer = crypto::recover_address(chain::personal_digest(message), signature);
    if (!signer) return not_ours();
    const auto challenge = own(message, *signer);
    const auto used = used_.find(*signer);
    if (!challenge || (used != used_.end() && challenge->number <= used->second.number))
        return not_ours();
    const UnixSeconds now = clock_.unix_now();
    TT_TRY(const bool hosts, is_host(*signer, now));
    if (!hosts) {
        return fail(ErrorCode::host_unknown,
                    chain::to_checksum_text(*signer) + " has no live node in this pool");
    }
    TT_CHECK(make_room(*signer, now));
    used_[*signer] = {.number = challenge->number, .until = now + options_.challenge_s};
    Token out = {.expires = now + options_.token_s};
    rng_.fill(out.token);
    tokens_[out.token] = {.wallet = *signer, .expires = out.expires};
    return out;
}

Result<void> SignIns::make_room(const crypto::Address& wallet, UnixSeconds now) {
    std::erase_if(tokens_, [&](const auto& known) { return now >= known.second.expires; });
    std::erase_if(used_, [&](const auto& used) { return now >= used.second.until; });
    const auto is_own = [&](const auto& known) { return known.second.wallet == wallet; };
    if (std::ranges::count_if(tokens_, is_own) >=
        static_cast<ptrdiff_t>(options_.tokens_per_host_max)) {
        auto oldest = std::ranges::find_if(tokens_, is_own);
        for (auto at = oldest; at != tokens_.end(); ++at) {
            if (is_own(*at) && at->second.expires < oldest->second.expires) oldest = at;
        }
        tokens_.erase(oldest);
    }
    if (tokens_.size() < options_.tokens_max) return {};
    return fail(ErrorCode::overloaded, "too many hosts are signed in just now");
}

Result<crypto::Address> SignIns::wallet_of(const ByteArray<32>& token) const {
    const auto found = tokens_.find(token);
    if (found == tokens_.end() || clock_.unix_now() >= found->second.expires)
        return fail(ErrorCode::sign_in_rejected, "sign in again: the token is unknown or too old");
    return found->second.wallet;
}

}  // namespace teetee::api
