// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/tokenizer.hpp"

namespace teetee::model {

/// Decodes tokens as they are generated and hands out well-formed UTF-8 only: a character that is
/// cut between tokens waits for its rest, bytes that cannot be one become U+FFFD.
class StreamDecoder {
  public:
    /// The tokenizer MUST outlive it.
    explicit StreamDecoder(const Tokenizer& tokenizer, DecodeOptions options = {});

    /// The text that this token completes; often "". Error: token_out_of_range.
    Result<std::string> feed(TokenId id);

    /// What was waiting, as U+FFFD; "" when nothing was. The decoder is then as new.
    std::string finish();

  private:
    const Tokenizer* tokenizer_;
    DecodeOptions first_;
    DecodeOptions options_;
    std::string pending_;  // a proper prefix of a character: at most three bytes
};

}  // namespace teetee::model
