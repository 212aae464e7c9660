// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>

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

    std::unique_ptr<AnswerPayment> begin() override;

  private:
    class Answer;

    /// Signs in where no token is known. Errors: of sign_in.
    Result<ByteArray<32>> token_for(const VerifiedEntry& entry);
    void forget(const ByteArray<32>& token);

    const crypto::SecpKey& wallet_;
    /// Held while one signs in, so that others wait for its token instead of having one each.
    std::mutex mutex_;
    std::map<crypto::Address, ByteArray<32>> tokens_;
};

}  // namespace teetee::client
