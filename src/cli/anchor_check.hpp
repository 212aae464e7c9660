// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attest/receipt_check.hpp"
#include "cli/network_files.hpp"
#include "client/receipt_anchor.hpp"

namespace teetee::cli {

/// Whether the contract has a receipt.
struct AnchorCheck {
    attest::ReceiptCheck check{};
    std::optional<client::ReceiptAnchor> anchor{};
    std::optional<chain::AnchorRecord> record{};
};

/// `text`: what an entry says of the anchor; from whom it comes does not matter, the contract says
/// whether it is true. Without URLs the chain of `teetee up` is asked. Errors: what keeps it from
/// being looked at (invalid_argument without a pool or a chain); what is wrong with the anchor is
/// in the check.
Result<AnchorCheck> check_anchor(const Result<std::string>& text, const attest::Receipt& receipt,
                                 const NetworkTerms& terms,
                                 const std::vector<std::string>& rpc_urls);

}  // namespace teetee::cli
