// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "attest/evidence.hpp"
#include "base/world.hpp"
#include "crypto/secp256k1.hpp"

namespace teetee::node {

/// A receipt key that outlives its process: in a file, encrypted for this TEE's code, so that what
/// was earned with it can still be settled after a crash. Made where there is none. A copy of the
/// file on another machine is of use only to the same code in another TEE of the same app; two
/// nodes with one key are one node to the contract. Errors: of EvidenceProvider::sealing_key, of
/// net::read_file and write_file_atomic; decrypt_failed for a file of another TEE, which is left
/// as it is.
Result<crypto::SecpKey> load_receipt_key(const std::string& path, attest::EvidenceProvider& tee,
                                         Rng& rng);

}  // namespace teetee::node
