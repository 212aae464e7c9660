// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "billing/ledger.hpp"
#include "billing/voucher_openings.hpp"

namespace teetee::node {

/// How a node stands with the chain and its money, for its operator.
struct MoneyReport {
    /// Decisions over money are made.
    bool is_following = false;
    uint64_t head_block = 0;
    uint64_t settled_block = 0;
    uint64_t reorganisations = 0;
    /// Since the view was last up to the chain's head.
    std::optional<Duration> unconfirmed{};
    /// Signed by this node's key, and without an outcome.
    std::optional<size_t> transactions_in_flight{};
    /// Of this node's key, and held up; nullopt without a key.
    std::optional<bool> are_transactions_stuck{};

    /// Of an entry.
    struct Till {
        size_t answers_held = 0;
        billing::Credits credits_held = 0;
        std::optional<billing::LedgerTotals> totals{};
        std::optional<size_t> vouchers_open{};
        /// Of an entry that opens them for payers.
        std::optional<billing::VoucherOpeningCounts> voucher_openings{};
        /// Since the start; when the last one was.
        uint64_t settlements = 0;
        std::optional<UnixSeconds> settled_at{};
        size_t settlements_announced = 0;
        /// Of the account that sends settlements, and of one gas; while they are known.
        std::optional<double> wallet_wei{};
        std::optional<double> gas_price_wei{};
    };
    std::optional<Till> till{};
};

}  // namespace teetee::node
