// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <vector>

#include "pipeline/effects.hpp"

namespace teetee::pipeline {

/// Fresh quotes for one receipt.
struct QuoteOrder {
    /// Never ordered before.
    RequestId request{};
    /// The route that its records came over.
    wire::RouteId route{};
    /// The receipt's hash.
    Digest nonce{};
    /// SHA-256 of each statement in it.
    std::vector<Digest> statements{};
    /// What the quote of each stage must say: attest::report_data of the stage's statement, as the
    /// receipt has it, and the nonce.
    std::map<LayerRange, ByteArray<64>> report_data{};
};

/// Between the result of a stage with these layers and its message, which has only an error's code.
wire::Quote message_of(QuoteResult result, LayerRange layers);
QuoteResult result_of(wire::Quote message);

/// Gathers the quotes that the stages make for receipts and hands them on as ClientQuotes: of each
/// stage the quote that was ordered, or why there is none. Their signatures are for whoever holds
/// the receipt to verify.
class QuoteCollector {
  public:
    static constexpr uint64_t timer_id = 2;

    struct Options {
        /// Orders under way: as many quotes wait for a stage's TEE at most, so that no client keeps
        /// it from what else it has to quote.
        size_t pending_max = 16;
        /// Quotes that do not come within this time do not come.
        Duration timeout = std::chrono::seconds(20);
    };

    QuoteCollector() = default;
    explicit QuoteCollector(Options options) : options_(options) {}

    bool is_full() const { return pending_.size() >= options_.pending_max; }

    void begin(Instant now, QuoteOrder order, Effects& effects);
    /// No stage is asked.
    static void refuse(const QuoteOrder& order, const Error& error, Effects& effects);
    /// Of the stage with these layers. False if nobody waits for it.
    bool on_quote(QuoteResult result, LayerRange layers, Effects& effects);
    /// Ends what has waited too long; to be called at timer_id.
    void expire(Instant now, Effects& effects);
    bool waits_for(const wire::RouteId& route) const;
    /// The route is lost, and with it the quotes on their way.
    void fail_route(const wire::RouteId& route, const Error& error, Effects& effects);

    size_t pending_count() const { return pending_.size(); }

  private:
    struct Pending {
        wire::RouteId route{};
        std::map<LayerRange, ByteArray<64>> report_data{};
        std::map<LayerRange, Result<Bytes>> quotes{};
        Instant deadline{};
    };
    using Pendings = std::map<RequestId, Pending>;

    void set_timer(Effects& effects) const;
    /// Stages that have not answered get this error.
    void end(Pendings::iterator pending, const Error& missing, Effects& effects);

    Options options_{};
    Pendings pending_;
};

}  // namespace teetee::pipeline
