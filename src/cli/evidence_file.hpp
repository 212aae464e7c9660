// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "attest/pck.hpp"
#include "base/bytes.hpp"

namespace teetee::cli {

/// A file of a TEE's evidence as tools save it: the bytes, or one line of them in hex.
/// Errors: of net::read_file; limit_exceeded.
Result<Bytes> read_evidence_file(const std::string& path, size_t bytes_max);

/// The one root that --root names, PEM. Errors: of net::read_file; config_invalid.
Result<attest::TrustedRoots> read_root_file(const std::string& path);

}  // namespace teetee::cli
