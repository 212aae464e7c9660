// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "attest/receipt.hpp"
#include "base/world.hpp"
#include "node/driver.hpp"
#include "node/identity.hpp"
#include "pipeline/entry.hpp"

namespace teetee::node {

/// What an entry is asked to generate.
struct Generation {
    std::vector<TokenId> prompt{};
    uint32_t tokens_max = 0;
    SamplingOptions sampling{};
    /// See pipeline::Submission.
    std::optional<Digest> tenant{};
    /// How long it may take, of which so much is over: it came with others and had to wait.
    std::optional<Duration> timeout{};
    Duration waited{};
};

/// Called on the loop's thread; one of done and failed is the last call but on_receipt.
struct GenerationEvents {
    std::function<void(const pipeline::ClientToken&)> on_token{};
    std::function<void(pipeline::FinishReason, pipeline::Usage)> on_done{};
    std::function<void(const Error&, pipeline::Usage)> on_failed{};
    /// After on_done, or after a failure or a cancel behind the first token: the receipt but for
    /// request_hash, answer_hash and finished_at, for Node::sign. An error where a stage did not
    /// sign.
    std::function<void(const Result<attest::Receipt>&)> on_receipt{};
};

/// One node of a route as the entry knows it.
struct RouteNode {
    wire::NodeId node_id{};
    LayerRange layers{};
    Bytes statement{};
    Bytes quote{};
};

/// What an entry generates for its clients: hands requests to the machine and its events back to
/// whoever asked, and makes receipts of what the stages have signed. Lives on the loop's thread.
class Generations {
  public:
    struct World {
        Driver<pipeline::Entry>& entry;
        const Identity& identity;
        /// Tokens that end an answer.
        const std::vector<TokenId>& stop_tokens;
        Rng& rng;
        /// The quotes of this TEE prove nothing.
        bool simulated = false;
        /// Of every request; 0: no limit.
        Duration request_time_max{};
        /// All nodes of a path have computed so many tokens for a request that is over.
        std::function<void(const pipeline::Path&, uint64_t tokens)> on_computed{};
    };
    /// References MUST outlive it.
    explicit Generations(const World& world) : world_(world) {}

    /// Errors: of pipeline::Entry::submit.
    Result<RequestId> begin(Generation generation, GenerationEvents events);
    /// Ends a request without a further event but on_receipt; what it has used. Tokens that are
    /// there and were not told yet are not used. Error: request_unknown.
    Result<pipeline::Usage> cancel(const RequestId& request);
    /// See Node::add_fresh_quotes.
    void add_fresh_quotes(attest::Receipt receipt, std::function<void(attest::Receipt)> done);
    void on_event(const pipeline::ClientEvent& event);

    std::vector<RouteNode> nodes_of(const pipeline::Route& way) const;
    /// Fresh quotes of stages that receipts were to have and have not.
    uint64_t fresh_quotes_missing() const { return fresh_quotes_missing_; }

  private:
    std::optional<Duration> time_for(const Generation& generation) const;
    /// A request that is under way, or over and waiting for the records of its stages.
    struct Running {
        GenerationEvents events;
        attest::ReceiptOpening opening;
        /// Tokens that are still on their way are none of its answer.
        bool is_cancelled = false;
    };
    /// A receipt that waits for its fresh quotes.
    struct Quoting {
        attest::Receipt receipt;
        std::function<void(attest::Receipt)> done;
    };
    void on_quotes(const pipeline::ClientQuotes& made);
    void on_records(const pipeline::ClientRecords& records);
    attest::Receipt receipt_of(const pipeline::ClientRecords& records,
                               attest::ReceiptOpening opening) const;
    wire::RouteId route_of(const attest::Receipt& receipt) const;

    World world_;
    std::map<RequestId, Running> running_;
    std::map<RequestId, Quoting> quotings_;
    uint64_t fresh_quotes_missing_ = 0;
};

}  // namespace teetee::node
