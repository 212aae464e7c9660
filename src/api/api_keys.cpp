// SPDX-License-Identifier: Apache-2.0
#include "api/api_keys.hpp"

#include <algorithm>
#include <set>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "api/limits.hpp"
#include "attest/json_members.hpp"
#include "attest/limits.hpp"
#include "base/bytes.hpp"
#include "base/strict_json.hpp"
#include "crypto/hash.hpp"

namespace teetee::api {
namespace {

constexpr std::string_view key_prefix = "tt-";
constexpr std::string_view scheme = "bearer ";
/// How late a change of the file may be noticed.
constexpr Duration look_interval = std::chrono::seconds(1);

bool has_scheme(std::string_view value) {
    return value.size() > scheme.size() &&
           std::equal(scheme.begin(), scheme.end(), value.begin(), [](char want, char have) {
               return want == (have >= 'A' && have <= 'Z' ? have - 'A' + 'a' : have);
           });
}

/// The characters of b64token, which leave out the comma that joins repeated headers.
bool is_token_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
}

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

Result<std::vector<ListedKey>> parse_key_file(std::string_view text) {
    const auto parsed = parse_strict_json(text, {.bytes_max = key_file_bytes_max, .depth_max = 4});
    if (!parsed) return fail(ErrorCode::config_invalid, parsed.error().detail);
    TT_TRY(auto file, attest::JsonMembers::of(*parsed, "keys", ErrorCode::config_invalid));
    TT_TRY(const auto* list, file.array("keys", listed_keys_max));
    TT_CHECK(file.ensure_read());
    std::vector<ListedKey> keys;
    std::set<std::string, std::less<>> names;
    for (const auto& item : *list) {
        const std::string place = "keys[" + std::to_string(keys.size()) + "]";
        TT_TRY(auto members, attest::JsonMembers::of(item, place, ErrorCode::config_invalid));
        ListedKey key;
        TT_TRY(key.name, members.text("name", key_name_bytes_max));
        TT_TRY(key.hash, members.hex<32>("sha256"));
        if (members.has("expires")) {
            TT_TRY(const auto expires, members.number("expires", attest::unix_seconds_max));
            key.expires = static_cast<UnixSeconds>(expires);
        }
        TT_CHECK(members.ensure_read());
        if (!names.insert(key.name).second)
            return members.wrong("name", quote_foreign(key.name) + " again", "each once");
        keys.push_back(std::move(key));
    }
    return keys;
}

std::string encode_key_file(const std::vector<ListedKey>& keys) {
    boost::json::array list;
    for (const ListedKey& key : keys) {
        boost::json::object one = {{"name", key.name}, {"sha256", "0x" + to_hex(key.hash)}};
        if (key.expires != 0) one["expires"] = key.expires;
        list.push_back(std::move(one));
    }
    return boost::json::serialize(boost::json::object{{"keys", std::move(list)}}) + "\n";
}

std::string make_api_key(Rng& rng) {
    ByteArray<32> random;
    rng.fill(random);
    return std::string(key_prefix) + to_hex(random);
}

Digest hash_of_key(std::string_view key) {
    return crypto::sha256(as_bytes(key));
}

std::optional<std::string_view> bearer_token(const net::HttpHeaders& headers) {
    const auto found = headers.find("authorization");
    if (found == headers.end() || !has_scheme(found->second)) return {};
    const std::string_view token = std::string_view(found->second).substr(scheme.size());
    if (token.empty() || !std::ranges::all_of(token, is_token_character)) return {};
    return token;
}

ApiKeys::ApiKeys(const World& world, Options options)
    : world_(world), options_(std::move(options)) {}

/// One that cannot be read changes nothing: who was let in stays so, and nobody else is.
void ApiKeys::read_file() {
    if (options_.path.empty()) return;
    const Instant now = world_.clock.now();
    if (looked_at_ && now - *looked_at_ < look_interval) return;
    looked_at_ = now;
    const auto file = net::File::open(options_.path);
    if (!file) {
        if (std::exchange(seen_, std::nullopt))
            world_.log.warn("API keys: " + file.error().message());
        return;
    }
    if (seen_ == file->state()) return;
    seen_ = file->state();
    const auto text = net::read_file(options_.path, key_file_bytes_max);
    const auto keys =
        text ? parse_key_file(as_text(*text)) : Result<std::vector<ListedKey>>(text.error());
    if (!keys) return world_.log.warn("API keys: " + options_.path + ": " + keys.error().message());
    listed_.clear();
    for (const ListedKey& key : *keys) listed_[key.hash] = key;
    world_.log.info("API keys: " + std::to_string(listed_.size()) + " in " + options_.path);
}

Result<ApiKeys::Grant> ApiKeys::admit(std::optional<std::string_view> token) {
    read_file();
    const UnixSeconds now = world_.clock.unix_now();
    if (token) {
        // By their hashes, so that the time that it takes tells nothing of a key.
        const Digest hash = hash_of_key(*token);
        const auto issued = issued_.find(hash);
        if (issued != issued_.end() && now < issued->second.expires)
            return Grant{.payment = issued->second.payment};
        const auto listed = listed_.find(hash);
        if (listed != listed_.end() &&
            (listed->second.expires == 0 || now < listed->second.expires))
            return Grant{};
        // A key of ours that is none (any more) is told so, where it would be taken for nothing but
        // a name of the prefix cache otherwise.
        if (token->starts_with(key_prefix) && token->size() == key_prefix.size() + 64)
            return fail(ErrorCode::api_key_invalid, "the API key is unknown, revoked or too old");
    }
    if (options_.path.empty()) return Grant{};
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
    Issued out = {.key = make_api_key(world_.rng),
                  .expires = now + std::min(lifetime_s, options_.lifetime_s_max)};
    issued_[hash_of_key(out.key)] = {.payment = payment, .expires = out.expires};
    return out;
}

bool ApiKeys::revoke(std::string_view key) {
    return issued_.erase(hash_of_key(key)) > 0;
}

}  // namespace teetee::api
