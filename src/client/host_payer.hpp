// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "client/payer.hpp"
#include "crypto/secp256k1.hpp"

namespace teetee::client {

/// A wallet's proof to one entry that it is there (EIP-4361): a token for an hour. The wallet signs
/// nothing but a message of that entry's, which names it and its chain. Errors: those of asking;
/// sign_in_rejected, also where the message is of another entry; host_unknown.
Result<ByteArray<32>> sign_in(const VerifiedEntry& entry, const crypto::SecpKey& wallet);

/// For a host of the pool, whose use is free.
class HostPayer : public Payer {
  public:
    /// `wallet` MUST outlive it.
    explicit HostPayer(const crypto::SecpKey& wallet) : wallet_(wallet) {}

    Result<billing::PaymentClaim> pay(const VerifiedEntry& entry,
                                      const Purchase& purchase) override;
    /// Once, when a token is too old.
    bool tries_again(ErrorCode refusal) override;

  private:
    const crypto::SecpKey& wallet_;
    std::map<crypto::Address, ByteArray<32>> tokens_;
    bool is_renewed_ = false;
};

}  // namespace teetee::client
