// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"

namespace teetee::attest {

/// Where a node's quotes come from: a TEE's guest interface, or the dev TEE.
class EvidenceProvider {
  public:
    virtual ~EvidenceProvider() = default;
    /// A TDX quote over this report data. Error: evidence_unavailable.
    virtual Result<Bytes> quote(const ByteArray<64>& report_data) = 0;
    /// Whether its quotes prove nothing about hardware; for what people are told.
    virtual bool simulated() const = 0;
};

}  // namespace teetee::attest
