// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/world.hpp"
#include "chain/address.hpp"
#include "chain/typed_data.hpp"

namespace teetee::api {

/// How a host's wallet shows that it is there: it signs a message of this entry's (EIP-4361, by
/// personal_sign of EIP-191), and has a token for an hour. The entry takes back the very message
/// that it made, which it knows by a MAC in the nonce: nothing is kept for who only asks, so that
/// strangers use up no place of a host. Accounts that are contracts (ERC-1271) cannot sign in. Not
/// threadsafe.
class SignIns {
  public:
    struct Options {
        chain::Deployment deployment{};
        crypto::Address entry{};
        /// What clients may call this entry, as their Host header has it: host, or host:port, in
        /// any case. Wallets warn of a message with another name than that of the page that
        /// shows it; one that any page could have made out in its own name would warn nobody.
        std::vector<std::string> names{};
        UnixSeconds challenge_s = 300;
        UnixSeconds token_s = 3600;
        /// Of all hosts, and of one: then its oldest ends.
        size_t tokens_max = 4096;
        size_t tokens_per_host_max = 4;
    };
    struct Token {
        ByteArray<32> token{};
        UnixSeconds expires = 0;
    };
    /// Has a live node, by what is known of the chain. Errors: what keeps it from being said.
    using IsHost = std::function<Result<bool>(const crypto::Address& wallet, UnixSeconds now)>;

    /// References MUST outlive it.
    SignIns(Options options, const Clock& clock, Rng& rng);

    /// `host` is what the client calls this entry; empty: it does not say. Error: field_invalid for
    /// one that is none of its names.
    Result<std::string> challenge(const crypto::Address& wallet, std::string_view host);
    /// A message counts once, and none that is older than it for the same wallet. Errors:
    /// sign_in_rejected, host_unknown, overloaded; of `is_host`.
    Result<Token> sign_in(std::string_view message, ByteView signature, const IsHost& is_host);
    /// Error: sign_in_rejected.
    Result<crypto::Address> wallet_of(const ByteArray<32>& token) const;

  private:
    struct Challenge {
        std::string host{};
        crypto::Address wallet{};
        UnixSeconds issued = 0;
        uint64_t number = 0;
        ByteArray<16> nonce{};
    };
    struct Known {
        crypto::Address wallet{};
        UnixSeconds expires = 0;
    };
    struct Used {
        uint64_t number = 0;
        /// Then no message of before counts any more.
        UnixSeconds until = 0;
    };

    std::string text_of(const Challenge& challenge) const;
    std::optional<Challenge> own(std::string_view message, const crypto::Address& signer) const;
    Result<void> make_room(const crypto::Address& wallet, UnixSeconds now);

    Options options_;
    const Clock& clock_;
    Rng& rng_;
    /// Of this process.
    ByteArray<32> key_{};
    uint64_t next_number_ = 1;
    std::map<crypto::Address, Used> used_;
    std::map<ByteArray<32>, Known> tokens_;
};

}  // namespace teetee::api
