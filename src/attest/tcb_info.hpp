// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attest/quote.hpp"
#include "attest/tcb_status.hpp"
#include "attest/x509.hpp"

namespace teetee::attest {

// Intel's signed documents ("Intel SGX and TDX Provisioning Certification Service API", version 4,
// models TcbInfo and EnclaveIdentity) as values. That Intel signed them is checked elsewhere
// (collateral.hpp); keys that are not asked about may be there.

/// What both documents say of themselves.
struct DocumentHead {
    uint32_t version = 0;
    /// issueDate to nextUpdate.
    Validity validity;
    /// Rises with every TCB recovery.
    uint32_t evaluation_number = 0;
};

/// What is known of those who reach a level.
struct LevelJudgement {
    TcbStatus status = TcbStatus::revoked;
    /// All security advisories before this day are dealt with.
    UnixSeconds date = 0;
    std::vector<std::string> advisories;
};

/// Security versions that a platform must have, all of them, to be on this level.
struct TcbLevel {
    ByteArray<16> sgx_components{};
    uint16_t pcesvn = 0;
    /// Zeros in TCB info for SGX.
    ByteArray<16> tdx_components{};
    LevelJudgement judgement;
};

/// A level of a TDX module or a quoting enclave.
struct IsvLevel {
    uint16_t isvsvn = 0;
    LevelJudgement judgement;
};

struct TdxModuleIdentity {
    /// In upper case: "TDX_01".
    std::string id;
    Measurement mrsigner{};
    uint64_t attributes = 0;
    /// Highest isvsvn first.
    std::vector<IsvLevel> levels;
};

struct TcbInfo {
    DocumentHead head;
    TeeType tee = TeeType::sgx;
    ByteArray<6> fmspc{};
    ByteArray<2> pceid{};
    /// TDX only: the module of version 0, and the others.
    Measurement module_mrsigner{};
    uint64_t module_attributes = 0;
    std::vector<TdxModuleIdentity> module_identities;
    /// Highest first, by SGX components, PCESVN and TDX components, whatever the document's order.
    std::vector<TcbLevel> levels;
};

/// Versions 3 (SGX, TDX) and 2 (SGX only). Error: collateral_malformed; also for a status that does
/// not exist, for two levels alike, and for a key that stands twice in an object.
Result<TcbInfo> parse_tcb_info(std::string_view json);

/// Intel's description of its quoting enclave.
struct QeIdentity {
    DocumentHead head;
    /// Whose quotes the enclave signs: id "QE" or "TD_QE".
    TeeType tee = TeeType::sgx;
    uint32_t miscselect = 0;
    uint32_t miscselect_mask = 0;
    ByteArray<16> attributes{};
    ByteArray<16> attributes_mask{};
    ByteArray<32> mrsigner{};
    uint16_t isvprodid = 0;
    /// Highest isvsvn first.
    std::vector<IsvLevel> levels;
};

/// Versions 2 and 3. Error: collateral_malformed, as above.
Result<QeIdentity> parse_qe_identity(std::string_view json);

}  // namespace teetee::attest
