// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/world.hpp"
#include "billing/till.hpp"
#include "net/file.hpp"
#include "net/http_message.hpp"

namespace teetee::api {

/// A key of the host's own file, of which the file has nothing but the SHA-256.
struct ListedKey {
    std::string name;
    Digest hash{};
    /// 0: never.
    UnixSeconds expires = 0;
    bool operator==(const ListedKey&) const = default;
};

/// {"keys":[{"name":"app","sha256":"0x..","expires":1800000000}]}; names are each once, "expires"
/// may be left out. Error: config_invalid.
Result<std::vector<ListedKey>> parse_key_file(std::string_view text);
std::string encode_key_file(const std::vector<ListedKey>& keys);

/// A new key: "tt-" and 64 hex digits.
std::string make_api_key(Rng& rng);
Digest hash_of_key(std::string_view key);

/// The token of "Authorization: Bearer TOKEN"; nullopt without one, or where it holds what no
/// token does (RFC 6750 section 2.1).
std::optional<std::string_view> bearer_token(const net::HttpHeaders& headers);

/// The keys by which applications that know nothing of wallets are let in: those of the host's
/// file, where there is one, and those that this entry has made for whoever has shown that a
/// voucher, or a live node, is its own; these pay as well. The latter are kept in memory only: a
/// host could put anything into a file, and so spend what is not its own. Not threadsafe.
class ApiKeys {
  public:
    struct World {
        const Clock& clock;
        Rng& rng;
        Log& log;
    };
    struct Options {
        /// "": everybody is let in.
        std::string path{};
        size_t keys_max = 4096;
        size_t keys_per_payer_max = 16;
        UnixSeconds lifetime_s_max = 90 * 86400;
    };
    ApiKeys(const World& world, Options options);

    /// What a key stands for.
    struct Grant {
        /// How its requests are paid; nullopt: not by the key.
        std::optional<billing::Payment> payment{};
    };
    /// Error: api_key_invalid, where `token` is none of the keys and one is needed.
    Result<Grant> admit(std::optional<std::string_view> token);

    struct Issued {
        std::string key;
        UnixSeconds expires = 0;
    };
    /// `payment` MUST have been shown to be the asker's. Error: overloaded.
    Result<Issued> issue(const billing::Payment& payment, UnixSeconds lifetime_s);
    /// Whether there was one. Keys of the file are the host's to take back.
    bool revoke(std::string_view key);

  private:
    struct Known {
        billing::Payment payment;
        UnixSeconds expires = 0;
    };
    void read_file();

    World world_;
    Options options_;
    std::map<Digest, ListedKey> listed_;
    std::map<Digest, Known> issued_;
    std::optional<net::FileState> seen_;
    std::optional<Instant> looked_at_;
};

}  // namespace teetee::api
