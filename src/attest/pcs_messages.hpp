// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "attest/collateral_source.hpp"

namespace teetee::attest {

// What Intel's Provisioning Certification Service (PCS, "Intel SGX and Intel TDX Provisioning
// Certification Service API", version 4) and the mirrors of it that the field runs (PCCS) are asked
// and answer; codecs without I/O. That Intel signed what comes is checked elsewhere
// (collateral.hpp).

inline constexpr std::string_view intel_pcs_url = "https://api.trustedservices.intel.com";
/// Where the root certificate says that its list is. A PCCS has it at pccs_root_crl_target.
inline constexpr std::string_view intel_root_crl_url =
    "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
inline constexpr std::string_view pccs_root_crl_target = "/sgx/certification/v4/rootcacrl";

/// Whose judgement of platforms: that in force, or that of the latest TCB recovery, which will be.
enum class TcbUpdate { standard, early };

// What to GET: path and query.
std::string pcs_tcb_info_target(const PlatformId& platform, TcbUpdate update);
std::string pcs_qe_identity_target(TeeType tee, TcbUpdate update);
std::string pcs_pck_crl_target(PckCa ca);

/// Of a successful answer; names in lower case.
struct PcsAnswer {
    std::map<std::string, std::string, std::less<>> headers;
    std::string body;
};

struct PcsAnswers {
    PcsAnswer tcb_info;
    PcsAnswer qe_identity;
    PcsAnswer pck_crl;
    PcsAnswer root_crl;
};

/// Documents byte for byte as they came; chains out of the headers, percent-encoded there
/// (RFC 3986); lists as DER, which some mirrors write in hex.
/// Error: collateral_malformed, naming the answer.
Result<Collateral> parse_pcs_answers(const PcsAnswers& answers);

}  // namespace teetee::attest
