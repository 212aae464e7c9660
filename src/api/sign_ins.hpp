// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "base/world.hpp"
#include "chain/address.hpp"
#include "chain/typed_data.hpp"

namespace teetee::api {

/// How a wallet shows that it is there: it signs a message of this entry's (EIP-4361, by
/// personal_sign of EIP-191), and has a token for an hour. The entry takes back the very message
/// that it made, so that there is nothing to parse. Accounts that are contracts (ERC-1271) cannot
/// sign in. Not threadsafe.
class SignIns {
  public:
    struct Options {
        chain::Deployment deployment{};
        crypto::Address entry{};
        UnixSeconds challenge_s = 300;
        UnixSeconds token_s = 3600;
        /// Of each; beyond it the oldest is forgotten.
        size_t count_max = 4096;
    };
    struct Token {
        ByteArray<32> token{};
        UnixSeconds expires = 0;
    };

    /// References MUST outlive it.
    SignIns(Options options, const Clock& clock, Rng& rng)
        : options_(std::move(options)), clock_(clock), rng_(rng) {}

    /// `host` is what the client calls this entry: host, or host:port. Error: field_invalid when it
    /// is none.
    Result<std::string> challenge(const crypto::Address& wallet, std::string_view host);
    /// Error: sign_in_rejected.
    Result<Token> sign_in(std::string_view message, ByteView signature);
    /// Error: sign_in_rejected.
    Result<crypto::Address> wallet_of(const ByteArray<32>& token) const;

  private:
    struct Known {
        crypto::Address wallet{};
        UnixSeconds expires = 0;
    };

    Options options_;
    const Clock& clock_;
    Rng& rng_;
    /// By the message's keccak256.
    std::map<Digest, Known> challenges_;
    std::deque<Digest> challenge_order_;
    std::map<ByteArray<32>, Known> tokens_;
    std::deque<ByteArray<32>> token_order_;
};

}  // namespace teetee::api
