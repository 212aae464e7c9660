// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "attest/evidence.hpp"
#include "base/world.hpp"
#include "crypto/secp256k1.hpp"

namespace teetee::node {

/// What a key is for: one in the place of another does not open.
inline constexpr std::string_view receipt_key_purpose = "teetee receipt key v1";
inline constexpr std::string_view gas_key_purpose = "teetee gas key v1";

/// A key that outlives its process: in a file, encrypted for this TEE's code, so that what was
/// earned with a receipt key can still be settled after a crash. Made where there is none. A copy
/// of the file on another machine is of use only to the same code in another TEE of the same app;
/// two nodes with one receipt key are one node to the contract. Errors: of
/// EvidenceProvider::sealing_key, of net::read_file and write_file_atomic; decrypt_failed for a
/// file of another TEE or purpose, which is left as it is.
Result<crypto::SecpKey> load_sealed_key(const std::string& path, std::string_view purpose,
                                        attest::EvidenceProvider& tee, Rng& rng);

}  // namespace teetee::node
