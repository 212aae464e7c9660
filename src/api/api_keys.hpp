// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/limits.hpp"
#include "base/world.hpp"
#include "billing/till.hpp"
#include "net/api_key_file.hpp"

namespace teetee::api {

/// The keys by which applications that know nothing of wallets are let in: those of the host's
/// file, where there is one, and those that this entry has made for whoever has shown that a
/// voucher, or a live node, is its own; these pay as well. The latter are kept in memory only: a
/// host could put anything into a file, and so spend what is not its own. Not threadsafe.
class ApiKeys {
  public:
    struct World {
        const Clock& clock;
        Rng& rng;
        /// Null: everybody is let in.
        net::ApiKeyFile* file = nullptr;
    };
    struct Options {
        size_t keys_max = 4096;
        size_t keys_per_payer_max = 16;
        UnixSeconds lifetime_s_max = key_lifetime_s_max;
    };
    explicit ApiKeys(const World& world) : ApiKeys(world, Options()) {}
    ApiKeys(const World& world, const Options& options) : world_(world), options_(options) {}

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

    World world_;
    Options options_;
    std::map<Digest, Known> issued_;
};

}  // namespace teetee::api
