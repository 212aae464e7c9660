// SPDX-License-Identifier: Apache-2.0
#include "attest/trace.hpp"

#include <bit>

#include "base/assert.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

ByteWriter begin_leaf(std::string_view tag, const TraceSalt& salt, Position position) {
    ByteWriter out;
    out.length_prefixed(as_bytes(tag));
    out.bytes(salt);
    out.u32(position);
    return out;
}

void write_float(ByteWriter& out, float value) {
    out.u32(std::bit_cast<uint32_t>(value));
}

}  // namespace

Digest row_leaf(const TraceSalt& salt, Position position, ByteView row) {
    thread_local crypto::Sha256 hash;
    hash.update(begin_leaf("teetee row v1", salt, position).view());
    hash.update(row);
    return hash.finish();
}

Digest token_leaf(const TraceSalt& salt, Position position, TokenId token) {
    ByteWriter out = begin_leaf("teetee token v1", salt, position);
    out.u32(token);
    return crypto::sha256(out.view());
}

Digest sampling_digest(const TraceSalt& salt, Position prompt_positions,
                       const SamplingOptions& sampling) {
    ByteWriter out = begin_leaf("teetee sampling v2", salt, prompt_positions);
    write_float(out, sampling.temperature);
    out.u32(sampling.top_k);
    write_float(out, sampling.top_p);
    out.u64(sampling.seed);
    write_float(out, sampling.min_p);
    write_float(out, sampling.typical_p);
    write_float(out, sampling.repetition_penalty);
    out.u32(sampling.repetition_window);
    write_float(out, sampling.presence_penalty);
    write_float(out, sampling.frequency_penalty);
    out.u32(static_cast<uint32_t>(sampling.logit_bias.size()));
    for (const LogitBias& bias : sampling.logit_bias) {
        out.u32(bias.token);
        write_float(out, bias.bias);
    }
    out.u8(sampling.logprobs ? 1 : 0);
    out.u32(sampling.top_logprobs);
    out.u8(static_cast<uint8_t>(sampling.constraint.kind));
    out.length_prefixed(as_bytes(sampling.constraint.source));
    out.u32(sampling.answer_given);
    out.u8(static_cast<uint8_t>(sampling.activations));
    // Without one it is as it was before there were any.
    if (sampling.pooling != Pooling::none) out.u8(static_cast<uint8_t>(sampling.pooling));
    return crypto::sha256(out.view());
}

TraceDigest digest_of(const Trace& trace, Position end) {
    TT_ASSERT(trace.begin <= end && end <= trace.end());
    ByteWriter head;
    head.length_prefixed(as_bytes("teetee trace v1"));
    head.u32(trace.begin);
    head.u32(end);
    crypto::Sha256 hash;
    hash.update(head.view());
    for (Position at = trace.begin; at < end; ++at) hash.update(trace.leaves[at - trace.begin]);
    return {trace.begin, end, hash.finish()};
}

}  // namespace teetee::attest
