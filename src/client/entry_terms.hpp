// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include <boost/json/value.hpp>

#include "billing/till.hpp"
#include "client/verified_entry.hpp"

namespace teetee::client {

/// What an entry says of payments (docs/api.md, "Paying"). It is attested; what it says is held
/// against what the client knows all the same.
struct EntryTerms {
    bool is_free = false;
    chain::Deployment deployment{};
    uint64_t pool = 0;
    crypto::Address entry{};
    /// nullopt while the pool takes no requests.
    std::optional<chain::Prices> prices{};
};

/// GET /v1/payment. Errors: those of asking; invalid_json; what the entry refused with.
Result<EntryTerms> fetch_terms(const VerifiedEntry& entry);
/// Of its body.
Result<EntryTerms> parse_entry_terms(std::string_view body);

/// POST /v1/payment/raise: shows a spend, and how the voucher stands with it. Errors likewise.
Result<billing::Standing> raise_voucher(const VerifiedEntry& entry,
                                        const billing::SignedSpend& spend);
Result<billing::Standing> parse_standing(std::string_view body);

/// A POST whose answer is a JSON object. Errors: those of asking; the entry's refusal by its code;
/// invalid_json.
Result<std::string> post_for_json(const VerifiedEntry& entry, std::string_view path,
                                  const std::string& body, const net::HttpHeaders& headers);

}  // namespace teetee::client
