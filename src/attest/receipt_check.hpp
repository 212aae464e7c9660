// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attest/collateral_source.hpp"
#include "attest/peer.hpp"
#include "attest/receipt.hpp"

namespace teetee::attest {

/// What a receipt is held against.
struct ReceiptExpectation {
    /// Chain, contract, pool, model root and the manifest's shards.
    PeerExpectation peers;
    uint32_t layer_count = 0;
    /// Of the stages' platforms, in date when the answer was finished; null: nowhere.
    CollateralSource* collateral = nullptr;
    /// The request's body and the answer's text, where they are at hand.
    std::optional<ByteView> request{};
    std::optional<ByteView> answer{};
    /// Every stage must have made a fresh quote. Else only a receipt in which one has, or says why
    /// not, is held to it: nothing in a receipt tells that fresh quotes were taken out of it.
    bool needs_fresh_quotes = false;
};

/// One thing that was looked at, in words for people; the error says what is wrong.
struct ReceiptCheck {
    std::string what;
    std::optional<Error> error{};
};

struct ReceiptReport {
    std::vector<ReceiptCheck> checks{};
    /// Some quote is none of real hardware.
    bool simulated = false;

    bool is_accepted() const;
    /// Of the first check that failed.
    const Error* error() const;
};

/// Every check that needs no chain and no weights: evidence of each stage at the time of the
/// answer, what each stage signed, that the stages' traces join up from the prompt to the answer,
/// the entry's signature, that the opening is of this receipt, and that fresh quotes are made for
/// it. Later checks are made even where earlier ones fail.
ReceiptReport check_receipt(const Receipt& receipt, const ReceiptExpectation& expectation,
                            const Policy& policy);

}  // namespace teetee::attest
