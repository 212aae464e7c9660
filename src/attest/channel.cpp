// SPDX-License-Identifier: Apache-2.0
#include "attest/channel.hpp"

#include "base/assert.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

Digest channel_digest(ByteView tls_exporter, ChannelRole role) {
    TT_ASSERT(tls_exporter.size() == 32);
    ByteWriter out;
    out.length_prefixed(as_bytes("teetee channel v1"));
    out.u8(static_cast<uint8_t>(role));
    out.length_prefixed(tls_exporter);
    return crypto::keccak256(out.view());
}

}  // namespace

Bytes sign_channel(const crypto::SecpKey& receipt_key, ByteView tls_exporter, ChannelRole role) {
    const auto signature = receipt_key.sign_recoverable(channel_digest(tls_exporter, role));
    return Bytes(signature.begin(), signature.end());
}

Result<void> verify_channel(const Statement& peer, ByteView tls_exporter, ChannelRole role,
                            ByteView proof) {
    const auto signer = crypto::recover_address(channel_digest(tls_exporter, role), proof);
    if (!signer) {
        return fail(ErrorCode::channel_unbound, "channel proof: " + signer.error().detail);
    }
    if (*signer != peer.receipt_address) {
        return fail(ErrorCode::channel_unbound, "channel proof: have signer " + to_hex(*signer) +
                                                    ", need " + to_hex(peer.receipt_address));
    }
    return {};
}

}  // namespace teetee::attest
