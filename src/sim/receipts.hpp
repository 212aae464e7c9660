// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>

#include "attest/receipt_check.hpp"
#include "sim/world.hpp"

namespace teetee::sim {

/// As its client has it.
struct Answer {
    uint32_t entry = 0;
    pipeline::Submission submission{};
    std::vector<TokenId> tokens{};
    pipeline::FinishReason reason = pipeline::FinishReason::length;
    /// Not what one undisturbed process answers.
    bool is_wrong = false;
    bool is_cancelled = false;
};

/// Holds what stages sign against the answer, with what a client has: the records' signatures and
/// hashes, attest::check_receipt (of some receipts: it verifies every quote anew), and the same
/// layers run again.
class ReceiptChecker {
  public:
    explicit ReceiptChecker(World& world) : world_(world) {}

    struct Finding {
        /// Why the records are no proof of the answer.
        std::optional<std::string> problem{};
        /// The problem is one of evidence only.
        bool is_evidence = false;
        /// The stage whose record is not what its layers make of its input.
        std::optional<wire::NodeId> liar{};
    };
    /// May ask the entry for fresh quotes; on_quotes says what becomes of them.
    Finding check(uint32_t entry, const Answer& answer, const pipeline::ClientRecords& records);
    Finding on_quotes(uint32_t entry, const pipeline::ClientQuotes& quotes);

  private:
    attest::Receipt receipt_of(uint32_t entry, const Answer& answer,
                               const pipeline::ClientRecords& records) const;
    Finding check_whole(const attest::Receipt& receipt, bool needs_fresh_quotes) const;
    std::optional<wire::NodeId> audit(const Answer& answer, const pipeline::ClientRecords& records,
                                      const std::vector<wire::NodeId>& path) const;

    World& world_;
    /// That wait for fresh quotes.
    std::map<RequestId, attest::Receipt> quoting_;
};

}  // namespace teetee::sim
