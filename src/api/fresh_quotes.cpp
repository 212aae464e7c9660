// SPDX-License-Identifier: Apache-2.0
#include "api/fresh_quotes.hpp"

#include "api/limits.hpp"
#include "api/query.hpp"

namespace teetee::api {

void FreshQuotes::make_for(std::string_view query, Done done) {
    auto nonce = admit(query);
    if (!nonce) return done(std::move(nonce).error());
    if (!*nonce) return done(std::optional<FreshQuote>());
    const ByteView asked_for = **nonce;
    ++*pending_;
    world_.quote_for(asked_for, [nonce = Bytes(asked_for.begin(), asked_for.end()),
                                 done = std::move(done),
                                 pending = pending_](Result<attest::Evidence> made) {
        --*pending;
        if (!made) return done(std::move(made).error());
        done(std::optional(FreshQuote{nonce, std::move(made->statement), std::move(made->quote)}));
    });
}

/// The nonce that a quote is to be made for, if one is wanted and it is its turn.
Result<std::optional<Bytes>> FreshQuotes::admit(std::string_view query) {
    const auto hex = query_parameter(query, "nonce");
    if (!hex) return std::optional<Bytes>();
    auto nonce = from_hex(*hex);
    if (!nonce || nonce->size() < nonce_bytes_min || nonce->size() > nonce_bytes_max) {
        return fail(ErrorCode::field_invalid, "nonce: need " + std::to_string(nonce_bytes_min) +
                                                  " to " + std::to_string(nonce_bytes_max) +
                                                  " bytes in hex");
    }
    TT_CHECK(take_turn());
    return std::optional(std::move(*nonce));
}

Result<void> FreshQuotes::take_turn() {
    const Instant now = world_.clock.now();
    if (now - second_began_ >= std::chrono::seconds(1)) {
        second_began_ = now;
        made_in_second_ = 0;
    }
    if (made_in_second_ >= fresh_quotes_per_second_max || *pending_ >= fresh_quotes_pending_max)
        return fail(ErrorCode::overloaded, "too many fresh quotes are asked for just now");
    ++made_in_second_;
    return {};
}

}  // namespace teetee::api
