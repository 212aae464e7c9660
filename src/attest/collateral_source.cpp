// SPDX-License-Identifier: Apache-2.0
#include "attest/collateral_source.hpp"

#include "attest/intel.hpp"

namespace teetee::attest {
namespace {

// In Intel's names of the two, and in the dev TEE's.
constexpr std::string_view platform_ca_name = "PCK Platform CA";
constexpr std::string_view processor_ca_name = "PCK Processor CA";

Result<PckCa> ca_of(const Certificate& certificate) {
    const std::string name = display_name(certificate);
    if (name.find(platform_ca_name) != std::string::npos) return PckCa::platform;
    if (name.find(processor_ca_name) != std::string::npos) return PckCa::processor;
    return fail(ErrorCode::certificate_chain_invalid, "PCK chain: have issuer " + name +
                                                          ", need a PCK Platform CA or a PCK "
                                                          "Processor CA");
}

}  // namespace

std::string_view to_string(PckCa ca) {
    return ca == PckCa::platform ? "platform" : "processor";
}

std::string to_string(const PlatformId& platform) {
    return (platform.tee == TeeType::tdx ? "tdx-" : "sgx-") + to_hex(platform.fmspc) + "-" +
           std::string(to_string(platform.ca));
}

Result<PlatformId> platform_of(ByteView bytes) {
    TT_TRY(const Quote quote, parse_quote(bytes));
    TT_TRY(const PckChain chain, parse_pck_chain(quote.signature.pck_chain));
    TT_TRY(const auto extension, find_extension(chain.leaf, sgx_extension_oid));
    if (!extension) {
        return fail(ErrorCode::certificate_malformed,
                    "SGX extension: missing in the PCK certificate");
    }
    TT_TRY(const PckPlatform platform, parse_sgx_extension(*extension));
    TT_TRY(const PckCa ca, ca_of(chain.intermediate));
    return PlatformId{quote.header.tee_type, platform.fmspc, ca};
}

Result<PlatformId> platform_of(const VerifiedCollateral& collateral) {
    const TcbInfo& tcb_info = collateral.tcb_info;
    if (tcb_info.tee != collateral.qe_identity.tee) {
        return fail(ErrorCode::collateral_mismatch,
                    "QE identity: have one of " +
                        std::string(to_string(collateral.qe_identity.tee)) + ", need " +
                        std::string(to_string(tcb_info.tee)) + " as in the TCB info");
    }
    TT_TRY(const PckCa ca, ca_of(collateral.pck_ca.signer));
    return PlatformId{tcb_info.tee, tcb_info.fmspc, ca};
}

std::shared_ptr<const VerifiedCollateral> find_collateral(CollateralSource* source,
                                                          ByteView quote) {
    if (source == nullptr) return nullptr;
    const auto platform = platform_of(quote);
    return platform ? source->find(*platform) : nullptr;
}

void want_missing(CollateralSource* source, ByteView quote, const Error& verdict) {
    if (source == nullptr || verdict.code != ErrorCode::collateral_missing) return;
    if (const auto platform = platform_of(quote)) source->want(*platform);
}

}  // namespace teetee::attest
