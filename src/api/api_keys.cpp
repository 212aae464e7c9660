// SPDX-License-Identifier: Apache-2.0
#include "api/api_keys.hpp"

#include <algorithm>

namespace teetee::api {
namespace {

bool is_same_payer(const billing::Payment& a, const billing::Payment& b) {
    if (const auto* host = std::get_if<billing::HostUse>(&a)) {
        const auto* other = std::get_if<billing::HostUse>(&b);
        return other != nullptr && other->wallet == host->wallet;
    }
    const auto* voucher = std::get_if<billing::KeyedVoucher>(&a);
    const auto* other = std::get_if<billing::KeyedVoucher>(&b);
    return voucher != nullptr && other != nullptr && voucher->spend.voucher == other->spend.voucher;
}

}  // namespace

Result<ApiKeys::Grant> ApiKeys::admit(std::optional<std::string_view> token) {
    const UnixSeconds now = world_.clock.unix_now();
    if (token) {
        // By their hashes, so that the time that it takes tells nothing of a key.
        const Digest hash = net::hash_of_api_key(*token);
        const auto issued = issued_.find(hash);
        if (issued != issued_.end() && now < issued->second.expires)
            return Grant{.payment = issued->second.payment};
        if (world_.file != nullptr && world_.file->lists(hash)) return Grant{};
    }
    // A key that is none (any more) is told so, where it would be taken for nothing but a name of
    // the prefix cache otherwise.
    const bool is_lost_key = token && net::is_api_key(*token);
    if (world_.file == nullptr && !is_lost_key) return Grant{};
    return fail(ErrorCode::api_key_invalid,
                token ? "the API key is unknown, revoked or too old"
                      : "an API key is needed: Authorization: Bearer KEY");
}

Result<ApiKeys::Issued> ApiKeys::issue(const billing::Payment& payment, UnixSeconds lifetime_s) {
    const UnixSeconds now = world_.clock.unix_now();
    std::erase_if(issued_, [&](const auto& known) { return now >= known.second.expires; });
    const auto is_own = [&](const auto& known) {
        return is_same_payer(known.second.payment, payment);
    };
    if (static_cast<size_t>(std::ranges::count_if(issued_, is_own)) >=
            options_.keys_per_payer_max ||
        issued_.size() >= options_.keys_max) {
        return fail(ErrorCode::overloaded, "there are too many API keys; revoke one");
    }
    Issued out = {.key = net::make_api_key(world_.rng),
                  .expires = now + std::min(lifetime_s, options_.lifetime_s_max)};
    issued_[net::hash_of_api_key(out.key)] = {.payment = payment, .expires = out.expires};
    return out;
}

bool ApiKeys::revoke(std::string_view key) {
    return issued_.erase(net::hash_of_api_key(key)) > 0;
}

}  // namespace teetee::api
