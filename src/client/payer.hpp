// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "billing/payment_header.hpp"
#include "client/verified_entry.hpp"

namespace teetee::client {

/// An answer that is asked for.
struct Purchase {
    /// The body of the request.
    std::string_view body;
    /// Bytes of its text, each of which may be a token.
    size_t prompt_bytes = 0;
};

/// How a client pays the entries that it asks; each has been verified. Waits on the calling thread.
class Payer {
  public:
    virtual ~Payer() = default;

    /// What goes into TeeTee-Payment. Errors: those of asking the entry, and why there is no
    /// paying.
    virtual Result<billing::PaymentClaim> pay(const VerifiedEntry& entry,
                                              const Purchase& purchase) = 0;
    /// The entry tells, while it answers, how the voucher stands. An error of raising it is none
    /// of the answer's, which goes on as far as it is paid.
    virtual void on_standing(const VerifiedEntry&, const billing::Standing&) {}
    /// Whether to pay and ask once more, after the entry has refused with this.
    virtual bool tries_again(ErrorCode refusal) = 0;
};

/// `: payment charged=1 held=2 signed=3 claimable=4`, a comment in the stream of an answer that is
/// paid by voucher; nullopt for other lines.
std::optional<billing::Standing> parse_standing_comment(std::string_view line);

}  // namespace teetee::client
