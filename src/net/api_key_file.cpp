// SPDX-License-Identifier: Apache-2.0
#include "net/api_key_file.hpp"

#include <algorithm>
#include <set>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "attest/json_members.hpp"
#include "attest/limits.hpp"
#include "base/bytes.hpp"
#include "base/strict_json.hpp"
#include "crypto/hash.hpp"
#include "net/limits.hpp"

namespace teetee::net {
namespace {

constexpr std::string_view key_prefix = "tt-";
constexpr size_t key_digits = 64;
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

}  // namespace

std::optional<std::string_view> bearer_token(const HttpHeaders& headers) {
    const auto found = headers.find("authorization");
    if (found == headers.end() || !has_scheme(found->second)) return {};
    const std::string_view token = std::string_view(found->second).substr(scheme.size());
    if (token.empty() || !std::ranges::all_of(token, is_token_character)) return {};
    return token;
}

std::string make_api_key(Rng& rng) {
    ByteArray<key_digits / 2> random;
    rng.fill(random);
    return std::string(key_prefix) + to_hex(random);
}

bool is_api_key(std::string_view token) {
    return token.starts_with(key_prefix) && token.size() == key_prefix.size() + key_digits;
}

Digest hash_of_api_key(std::string_view key) {
    return crypto::sha256(as_bytes(key));
}

Result<std::vector<ListedKey>> parse_api_keys(std::string_view text) {
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

std::string encode_api_keys(const std::vector<ListedKey>& keys) {
    boost::json::array list;
    for (const ListedKey& key : keys) {
        boost::json::object one = {{"name", key.name}, {"sha256", "0x" + to_hex(key.hash)}};
        if (key.expires != 0) one["expires"] = key.expires;
        list.push_back(std::move(one));
    }
    return boost::json::serialize(boost::json::object{{"keys", std::move(list)}}) + "\n";
}

Result<ApiKeyFile> ApiKeyFile::open(const World& world, const std::string& path) {
    ApiKeyFile file(world, path);
    TT_CHECK(file.read());
    return file;
}

/// Nothing is done where it is as it was.
Result<void> ApiKeyFile::read() {
    looked_at_ = world_.clock.now();
    const auto file = File::open(path_);
    if (!file) {
        seen_.reset();
        return file.error();
    }
    if (seen_ == file->state()) return {};
    seen_ = file->state();
    const auto text = read_file(path_, key_file_bytes_max);
    if (!text) {
        // It is tried again, whether it changes or not.
        seen_.reset();
        return text.error();
    }
    auto keys = parse_api_keys(as_text(*text));
    if (!keys) return in_context(path_, std::move(keys).error());
    keys_.clear();
    for (const ListedKey& key : *keys) keys_[key.hash] = key;
    world_.log.info("API keys: " + std::to_string(keys_.size()) + " in " + path_);
    return {};
}

bool ApiKeyFile::lists(const Digest& hash) {
    if (world_.clock.now() - looked_at_ >= look_interval) {
        const bool was_seen = seen_.has_value();
        const auto done = read();
        // Told once, and again when the file has changed.
        if (!done && was_seen) {
            world_.log.warn("API keys: " + done.error().message() +
                            "; what was read before stays in force, and keys that were revoked or "
                            "made since are NOT seen until the file can be read again");
        }
    }
    const auto found = keys_.find(hash);
    if (found == keys_.end()) return false;
    return found->second.expires == 0 || world_.clock.unix_now() < found->second.expires;
}

}  // namespace teetee::net
