// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "crypto/secret.hpp"

namespace teetee::attest {

/// Where a node's quotes come from: a TEE's guest interface, or the dev TEE.
class EvidenceProvider {
  public:
    virtual ~EvidenceProvider() = default;
    /// A TDX quote over this report data. Error: evidence_unavailable.
    virtual Result<Bytes> quote(const ByteArray<64>& report_data) = 0;
    /// A key that this program in this TEE can derive again after a restart, and nobody else: what
    /// it authenticates may lie on the host's disk. Error: evidence_unavailable.
    virtual Result<crypto::Secret<32>> sealing_key(std::string_view purpose) = 0;
    /// Whether its quotes prove nothing about hardware; for what people are told.
    virtual bool simulated() const = 0;
};

}  // namespace teetee::attest
