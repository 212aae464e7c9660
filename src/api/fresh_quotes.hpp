// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/bytes.hpp"
#include "base/world.hpp"
#include "node/node.hpp"

namespace teetee::api {

/// Quotes of the entry over its statement and a caller's nonce: evidence that is not older than the
/// question. A TEE takes its time for each, so only a few are made in a second, and only a
/// few wait (limits.hpp).
class FreshQuotes {
  public:
    struct World {
        const Clock& clock;
        /// node::Node::quote_for.
        std::function<void(ByteView nonce, node::Node::OnEvidence)> quote_for;
    };
    explicit FreshQuotes(World world) : world_(std::move(world)) {}

    struct FreshQuote {
        Bytes nonce;
        /// What the quote is over, beside the nonce.
        Bytes statement;
        Bytes quote;
    };
    using Done = std::function<void(Result<std::optional<FreshQuote>>)>;
    /// For the nonce that the query of an URL names ("nonce=HEX"); nothing where it names none.
    /// Calls back once, at once where no quote has to be made.
    /// Errors: field_invalid, overloaded, evidence_unavailable.
    void make_for(std::string_view query, Done done);

  private:
    Result<std::optional<Bytes>> admit(std::string_view query);
    Result<void> take_turn();

    World world_;
    Instant second_began_{};
    uint32_t made_in_second_ = 0;
    /// That the TEE has yet to make; their answers may come after this object's end.
    std::shared_ptr<size_t> pending_ = std::make_shared<size_t>(0);
};

}  // namespace teetee::api
