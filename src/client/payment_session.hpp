// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "billing/ledger.hpp"
#include "chain/typed_data.hpp"
#include "crypto/secret.hpp"

namespace teetee::client {

/// What answers are paid from: a voucher that is open, and the session key that signs for it. Who
/// has it can spend what is left of the voucher, and nothing else of the payer's.
struct PaymentSession {
    chain::Deployment deployment{};
    uint64_t pool = 0;
    Digest voucher{};
    crypto::Secret<32> key{};
    billing::Credits ceiling = 0;
    /// Unix seconds.
    uint64_t expiry = 0;
};

/// One JSON object: {"version": 1, "chain_id", "contract", "pool", "voucher", "session_key",
/// "ceiling", "expiry"}; bytes as 0x and hex digits, the ceiling as a decimal string. No other
/// members. Errors: config_invalid naming the member, what it has and what it needs; the key is
/// never quoted.
Result<PaymentSession> parse_payment_session(std::string_view text);
/// Secret, as it holds the key.
crypto::SecretBytes encode_payment_session(const PaymentSession& session);

}  // namespace teetee::client
