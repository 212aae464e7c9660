// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <vector>

#include "sim/receipts.hpp"

namespace teetee::sim {

/// Each client's view of its answers. Rules: "tokens" (what came is a beginning of what one
/// undisturbed process generates, each index once and in order), "usage" (billed is delivered),
/// "end" (exactly one), "failure" (an answer fails only where its entry had no route for longer
/// than it may wait for one), "liveness" (all have ended), "records" (what the stages signed is
/// what the client was told, once for each answer). An answer that a lying node had a part in may
/// be wrong if its receipt gives that node away, or if there is none.
class AnswerChecker {
  public:
    struct Options {
        /// Else requests may fail, and get no receipt.
        bool frames_are_honest = true;
        /// Else receipts may be refused because of their evidence.
        bool evidence_is_good = true;
    };
    AnswerChecker(World& world, Options options)
        : world_(world), options_(options), receipts_(world) {}

    /// The answer goes on where another entry left off: of `whole` its first tokens are there, and
    /// are part of the submission's prompt.
    struct Beginning {
        pipeline::Submission whole{};
        std::vector<TokenId> tokens{};
    };
    void begin(uint32_t entry, const pipeline::Submission& submission, Beginning beginning);
    /// Of a submission that was not accepted.
    void forget(const RequestId& request) { open_.erase(request); }
    void on_event(uint32_t entry, const pipeline::ClientEvent& event);
    void on_cancelled(const RequestId& request);
    void on_death(uint32_t entry);
    void check_all_ended();
    /// Long after that.
    void check_all_signed();

    struct Counts {
        uint64_t tokens = 0;
        uint64_t done = 0;
        uint64_t failed = 0;
        /// Of those that failed, because their time was over.
        uint64_t overdue = 0;
        /// Of those that were done, or failed or cancelled with tokens.
        uint64_t receipts = 0;
        uint64_t without_receipt = 0;
        uint64_t fresh_quotes = 0;
        /// Wrong answers, and those of them whose receipt names the liar.
        uint64_t wrong = 0;
        uint64_t found_out = 0;
    };
    const Counts& counts() const { return counts_; }

    struct Open {
        Answer answer{};
        Beginning beginning{};
        std::vector<pipeline::SampledToken> reference{};
    };
    const std::map<RequestId, Open>& open() const { return open_; }
    /// Of an answer whose entry died or gave up, for a client to go on with.
    std::optional<Beginning> take_unfinished(const RequestId& request);

  private:
    void on_token(const pipeline::ClientToken& token);
    void on_done(const pipeline::ClientDone& done);
    void on_failed(uint32_t entry, const pipeline::ClientFailed& failed);
    void on_records(uint32_t entry, const pipeline::ClientRecords& records);
    void end(std::map<RequestId, Open>::iterator request, const pipeline::Usage& usage);
    void leave_unfinished(const Open& open);
    bool may_be_wrong(const RequestId& request) { return world_.lies().requests.contains(request); }

    World& world_;
    Options options_;
    ReceiptChecker receipts_;
    std::map<RequestId, Open> open_;
    /// Over, and waiting for their records.
    std::map<RequestId, Answer> unsigned_;
    std::set<RequestId> signed_;
    std::map<RequestId, Beginning> unfinished_;
    Counts counts_;
};

}  // namespace teetee::sim
