// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"

namespace teetee::attest {

/// What a TEE's guest interface gave when asked for a quote over this report data, without the
/// bytes that it pads its buffer with. Signatures are for the peers to verify; here an interface
/// that answers another question, or in another format, is told from a TEE.
/// Error: evidence_unavailable.
Result<Bytes> take_fresh_quote(Bytes quote, const ByteArray<64>& report_data);

}  // namespace teetee::attest
