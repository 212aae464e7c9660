// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/anchor_check.hpp"
#include "client/client.hpp"

namespace teetee::cli {

/// What one part of an answer is checked by.
struct ProofInput {
    std::string receipt;
    /// As it was sent and as it came.
    const client::AnswerPart& part;
    /// What the entry says of the anchor; nullopt where nobody was asked, as for free answers.
    std::optional<Result<std::string>> anchor{};
};

struct Proof {
    std::string text;
    bool is_accepted = false;
    bool is_simulated = false;
};

/// Every check of `teetee verify`, in words for people who know none of its terms: who computed
/// the answer, with which program and weights, on what hardware, and whether it is the answer that
/// they see. Errors: receipt_malformed; those of opening collateral.
Result<Proof> prove(const ProofInput& input, const NetworkTerms& terms,
                    const std::vector<std::string>& rpc_urls);

}  // namespace teetee::cli
