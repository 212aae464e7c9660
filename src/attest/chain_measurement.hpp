// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attest/policy.hpp"
#include "attest/quote.hpp"
#include "base/request.hpp"

namespace teetee::attest {

/// What contracts name code by, in pools' lists of what may serve
/// (docs/contracts-attestation.md): keccak256 over u8 form, TDATTRIBUTES (8 bytes, little-endian),
/// MRTD, RTMR 0, 1, 2 and one more register, 48 bytes each. Form 2 where MRCONFIGID is not zero,
/// which is then the last register, for RTMR 3 differs between instances; else form 1 with RTMR 3.
Digest chain_measurement(const TdReport& report);

/// The same of a build that a policy accepts, with TDATTRIBUTES, which policies do not name. An
/// MRCONFIGID that is not named is zero. Error: config_invalid naming the registers that lack:
/// contracts compare them all.
Result<Digest> chain_measurement(const AcceptedMeasurement& accepted, uint64_t tdattributes);

}  // namespace teetee::attest
