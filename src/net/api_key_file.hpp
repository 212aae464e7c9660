// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/request.hpp"
#include "base/world.hpp"
#include "net/file.hpp"
#include "net/http_message.hpp"

namespace teetee::net {

/// The token of "Authorization: Bearer TOKEN"; nullopt without one, or where it holds what no
/// token does (RFC 6750 section 2.1).
std::optional<std::string_view> bearer_token(const HttpHeaders& headers);

/// A new API key: "tt-" and 64 hex digits.
std::string make_api_key(Rng& rng);
/// Whether a token has the form of one.
bool is_api_key(std::string_view token);
/// SHA-256.
Digest hash_of_api_key(std::string_view key);

/// A key by the only thing that its file has of it.
struct ListedKey {
    std::string name;
    Digest hash{};
    /// 0: never.
    UnixSeconds expires = 0;
    bool operator==(const ListedKey&) const = default;
};

/// {"keys":[{"name":"app","sha256":"0x..","expires":1800000000}]}; names are each once, "expires"
/// may be left out. Error: config_invalid.
Result<std::vector<ListedKey>> parse_api_keys(std::string_view text);
std::string encode_api_keys(const std::vector<ListedKey>& keys);

/// A file of keys, which is read anew when it changes. One that cannot be read any more changes
/// nothing: who was let in stays so, and nobody else is. Not threadsafe.
class ApiKeyFile {
  public:
    struct World {
        const Clock& clock;
        Log& log;
    };
    /// References MUST outlive it. Errors: of net/file.hpp, config_invalid.
    static Result<ApiKeyFile> open(const World& world, const std::string& path);

    /// Whether it has this key, by its hash, and the key is still good.
    bool lists(const Digest& hash);

  private:
    ApiKeyFile(const World& world, std::string path) : world_(world), path_(std::move(path)) {}
    Result<void> read();

    World world_;
    std::string path_;
    std::map<Digest, ListedKey> keys_;
    std::optional<FileState> seen_;
    Instant looked_at_{};
};

}  // namespace teetee::net
