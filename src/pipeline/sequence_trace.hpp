// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "attest/stage_record.hpp"
#include "pipeline/engine.hpp"
#include "wire/message.hpp"

namespace teetee::pipeline {

/// A record with the signature of its stage, and the leaves of what went out.
struct SignedRecord {
    attest::StageRecord record{};
    crypto::RecoverableSignature signature{};
    attest::Trace output{};
};

/// What one stage has to remember of a sequence in order to sign for it: a leaf for each row that
/// came in and for each that went out.
class SequenceTrace {
  public:
    SequenceTrace() = default;
    explicit SequenceTrace(const SequenceOpen& open) : open_(open) {
        input_.begin = open.start.positions;
    }

    void add_input(TokenId token);
    void add_input(ByteView row);
    void add_output(Position position, ByteView row);
    /// The token that was sampled from the row at `position`.
    void add_output(Position position, TokenId token);

    /// The request goes on in another epoch.
    void go_on(Epoch epoch) { open_.epoch = epoch; }
    /// Forgets the rows from `position` on and what came of them; others take their place.
    void rewind(Position position);

    const attest::Trace& input() const { return input_; }
    /// What came of all rows before `end` is there.
    bool has_output(Position end) const {
        return !output_.leaves.empty() && output_.end() >= end + (has_tokens_ ? 1 : 0);
    }

    /// Signed for the rows before `end`; nullopt where not all of them have come in and gone out.
    std::optional<SignedRecord> sign(Position end, const attest::RecordSigner& signer) const;

  private:
    void add_output(Position position, const Digest& leaf);

    SequenceOpen open_{};
    attest::Trace input_{};
    /// Rows, or tokens on the tail: a token stands one position behind its row.
    attest::Trace output_{};
    bool has_tokens_ = false;
};

/// Between record and message. What the message does not say is the stage's to fill in.
wire::Record message_of(const SignedRecord& record);
SignedRecord record_of(wire::Record message);

}  // namespace teetee::pipeline
