// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "attest/policy.hpp"

namespace teetee::cli {

/// A verdict on evidence, and the checks that were passed on the way to it.
struct Judgement {
    attest::Verdict verdict;
    std::optional<UnixSeconds> collateral_expires;
    attest::Checks checks;
};

/// What came of it now, and under collateral that is not in force yet.
struct AttestReport {
    UnixSeconds now = 0;
    Judgement judgement;
    std::optional<Judgement> forecast;
};

/// The object of `teetee attest verify --json` (docs/cli.md).
boost::json::object report_json(const AttestReport& report);

/// Verdict, status and what lacks, in a few lines.
std::string report_text(const AttestReport& report);

/// Every check in plain words, then the above, then what the quote says.
std::string explanation(const AttestReport& report);

}  // namespace teetee::cli
