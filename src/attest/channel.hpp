// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attest/statement.hpp"
#include "base/bytes.hpp"
#include "crypto/secp256k1.hpp"

namespace teetee::attest {

/// Which end of the TLS session speaks; so a proof cannot be sent back to its maker.
enum class ChannelRole : uint8_t { dialer = 1, listener = 2 };

/// The proof that this TLS session ends in the attested node and not in a relay before it: the
/// receipt key's signature (65 bytes, r || s || v) over keccak256 of the length-prefixed
/// "teetee channel v1", the role and the length-prefixed exporter. `tls_exporter` is 32 bytes of
/// keying material exported from the session (RFC 8446 section 7.5).
Bytes sign_channel(const crypto::SecpKey& receipt_key, ByteView tls_exporter, ChannelRole role);

/// `role` is the peer's. Error: channel_unbound unless the peer's receipt key made the proof.
Result<void> verify_channel(const Statement& peer, ByteView tls_exporter, ChannelRole role,
                            ByteView proof);

}  // namespace teetee::attest
