// SPDX-License-Identifier: Apache-2.0
#include "pipeline/sequence_trace.hpp"

namespace teetee::pipeline {

void SequenceTrace::add_input(TokenId token) {
    input_.leaves.push_back(attest::token_leaf(open_.salt, input_.end(), token));
}

void SequenceTrace::add_input(ByteView row) {
    input_.leaves.push_back(attest::row_leaf(open_.salt, input_.end(), row));
}

void SequenceTrace::add_output(Position position, ByteView row) {
    add_output(position, attest::row_leaf(open_.salt, position, row));
}

void SequenceTrace::add_output(Position position, TokenId token) {
    has_tokens_ = true;
    add_output(position + 1, attest::token_leaf(open_.salt, position + 1, token));
}

void SequenceTrace::add_output(Position position, const Digest& leaf) {
    if (output_.leaves.empty()) output_.begin = position;
    output_.leaves.push_back(leaf);
}

void SequenceTrace::rewind(Position position) {
    const auto keep = [](attest::Trace& trace, Position end) {
        if (end < trace.end()) trace.leaves.resize(end > trace.begin ? end - trace.begin : 0);
    };
    keep(input_, position);
    keep(output_, position + (has_tokens_ ? 1 : 0));
}

std::optional<SignedRecord> SequenceTrace::sign(Position end,
                                                const attest::RecordSigner& signer) const {
    const Position output_end = end + (has_tokens_ ? 1 : 0);
    if (end <= input_.begin || end > input_.end() || output_end > output_.end() ||
        output_.leaves.empty()) {
        return std::nullopt;
    }
    SignedRecord out;
    out.record = signer.complete(
        {.request = open_.request,
         .epoch = open_.epoch,
         .sampling = attest::sampling_digest(open_.salt, open_.prompt_positions, open_.sampling),
         .input = digest_of(input_, end),
         .output = digest_of(output_, output_end)});
    out.signature = signer.sign(out.record);
    out.output = output_;
    out.output.leaves.resize(output_end - output_.begin);
    return out;
}

wire::Record message_of(const SignedRecord& record) {
    const attest::StageRecord& r = record.record;
    return {.request = r.request,
            .epoch = r.epoch,
            .layers = r.layers,
            .sampling = r.sampling,
            .input_begin = r.input.begin,
            .input_end = r.input.end,
            .input = r.input.digest,
            .output_begin = record.output.begin,
            .output = record.output.leaves,
            .signature = record.signature};
}

SignedRecord record_of(wire::Record message) {
    SignedRecord out;
    out.output = {message.output_begin, std::move(message.output)};
    out.record = {.request = message.request,
                  .epoch = message.epoch,
                  .layers = message.layers,
                  .sampling = message.sampling,
                  .input = {message.input_begin, message.input_end, message.input},
                  .output = digest_of(out.output, out.output.end())};
    out.signature = message.signature;
    return out;
}

}  // namespace teetee::pipeline
