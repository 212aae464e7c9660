// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>

#include "base/bytes.hpp"
#include "base/world.hpp"

namespace teetee::api {

/// Quotes of the entry over its statement and a caller's nonce: evidence that is not older than the
/// question. A TEE takes its time for each, and everything else waits meanwhile, so only a few are
/// made in a second (limits.hpp).
class FreshQuotes {
  public:
    struct World {
        const Clock& clock;
        /// node::Node::quote_for.
        std::function<Result<Bytes>(ByteView nonce)> quote_for;
    };
    explicit FreshQuotes(World world) : world_(std::move(world)) {}

    struct FreshQuote {
        Bytes nonce;
        Bytes quote;
    };
    /// For the nonce that the query of an URL names ("nonce=HEX"); nothing where it names none.
    /// Errors: field_invalid, overloaded, evidence_unavailable.
    Result<std::optional<FreshQuote>> make_for(std::string_view query);

  private:
    Result<void> take_turn();

    World world_;
    Instant second_began_{};
    uint32_t made_in_second_ = 0;
};

}  // namespace teetee::api
