// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attest/verify.hpp"

namespace teetee::attest {

/// One build that is accepted: every register that is named must be equal, the rest may be
/// anything. At least one is named.
struct AcceptedMeasurement {
    std::optional<Measurement> mrtd;
    std::array<std::optional<Measurement>, 4> rtmr;
    std::optional<Measurement> mrconfigid;

    bool operator==(const AcceptedMeasurement&) const = default;
};

/// What evidence is accepted.
struct Policy {
    TrustedRoots roots;
    /// Accept quotes that lead to another root than Intel's. Proves nothing about hardware.
    bool allow_simulated = false;
    /// Accept TDs whose memory the host can read.
    bool allow_debug = false;
    /// Without SEPT_VE_DISABLE the host can inject exceptions by unmapping pages.
    bool require_sept_ve_disable = true;
    std::vector<AcceptedMeasurement> measurements;
};

/// {"roots": ["intel" or PEM, ..], "measurements": [{"mrtd", "rtmr0".."rtmr3", "mrconfigid": 96 hex
/// digits each}, ..], "allow_simulated", "allow_debug", "require_sept_ve_disable": optional bools}.
/// Error: policy_malformed on an unknown or repeated key, a wrong type, an empty list or an empty
/// entry.
Result<Policy> parse_policy(std::string_view json);

/// The JSON that parse_policy takes back.
std::string encode_policy(const Policy& policy);

/// Whether a verified quote is acceptable; every refusal names field, have and need. Beside what
/// the policy says: reserved TUD bits, SEAMATTRIBUTES, MRSIGNERSEAM and MRSERVICETD must be zero.
/// Errors: simulated_rejected, attributes_rejected, measurement_rejected.
Result<void> check_policy(const VerifiedQuote& quote, const Policy& policy);

}  // namespace teetee::attest
