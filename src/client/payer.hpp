// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
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
    /// Tokens of the answer that are to be paid for before it begins, where that is more than the
    /// payer begins with: of an answer that does not come as a stream, all of them.
    uint64_t completion_tokens = 0;
};

/// How one answer is paid for, at whichever entries give it. On one thread; what it does waits.
class AnswerPayment {
  public:
    virtual ~AnswerPayment() = default;

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

/// How a client pays the entries that it asks; each has been verified. From any thread: several
/// answers may be paid for at a time.
class Payer {
  public:
    virtual ~Payer() = default;

    /// For one answer; the payer MUST outlive it.
    virtual std::unique_ptr<AnswerPayment> begin() = 0;
};

/// `: payment charged=1 held=2 signed=3 claimable=4`, a comment in the stream of an answer that is
/// paid by voucher; nullopt for other lines.
std::optional<billing::Standing> parse_standing_comment(std::string_view line);

}  // namespace teetee::client
