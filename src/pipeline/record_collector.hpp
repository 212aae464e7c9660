// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "pipeline/effects.hpp"
#include "pipeline/route.hpp"

namespace teetee::pipeline {

/// Gathers what the stages sign for requests that are over, checks that the records fit together,
/// and hands them on as ClientRecords.
class RecordCollector {
  public:
    struct Options {
        /// The entry's own. Null: no records are asked for.
        std::shared_ptr<const attest::RecordSigner> signer{};
        /// Shard root of each layer range of the route, the entry's included.
        std::map<LayerRange, Digest> shard_roots{};
        /// Records that do not come within this time do not come.
        Duration timeout = std::chrono::seconds(3);
    };

    explicit RecordCollector(Options options) : options_(std::move(options)) {}

    bool is_on() const { return options_.signer != nullptr; }
    const attest::RecordSigner& signer() const { return *options_.signer; }

    /// The request is over; `own` is the record of the entry's layers.
    void begin(const wire::RouteId& route, SignedRecord own, attest::Trace input, Effects& effects);
    /// False if nobody waits for it on this route.
    bool on_record(const Route& route, wire::Record message, Effects& effects);
    /// To be called now and then: ends what has waited too long.
    void expire(Instant now, Effects& effects);
    /// The route is lost, and with it the records on their way.
    void fail_route(const wire::RouteId& route, const Error& error, Effects& effects);

    bool waits_for(const wire::RouteId& route) const;
    size_t pending_count() const { return pending_.size(); }

  private:
    struct Pending {
        wire::RouteId route{};
        attest::Trace input{};
        std::map<LayerRange, SignedRecord> stages{};
        /// Set when expire() first sees it.
        std::optional<Instant> since{};
    };
    using Pendings = std::map<RequestId, Pending>;

    Result<void> check(const Pending& pending, SignedRecord& record,
                       const std::vector<wire::Hop>& hops) const;
    void finish(Pendings::iterator pending, Effects& effects);
    void end(Pendings::iterator pending, Error error, Effects& effects);

    Options options_;
    Pendings pending_;
};

}  // namespace teetee::pipeline
