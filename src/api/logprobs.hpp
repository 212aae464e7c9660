// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "api/generation_request.hpp"
#include "model/tokenizer.hpp"

namespace teetee::api {

/// The log-probabilities of an answer's tokens in the shape of a dialect:
///   completion: {"tokens":[..],"token_logprobs":[..],"top_logprobs":[{..}],"text_offset":[..]}
///   chat:       {"content":[{"token","logprob","bytes","top_logprobs":[..]}],"refusal":null}
///   responses:  the list in "content"
///   llama:      that list, with each token's "id"
class LogprobsReport {
  public:
    /// The tokenizer MUST outlive it.
    LogprobsReport(Dialect dialect, const model::Tokenizer& tokenizer)
        : dialect_(dialect), tokenizer_(tokenizer) {}

    void add(TokenId token, const TokenLogprobs& logprobs);
    /// A token of the answer that is reported elsewhere.
    void skip(TokenId token);

    /// Of the tokens added since the last call; null if there were none.
    boost::json::value take();

  private:
    std::string text_of(TokenId token) const;

    Dialect dialect_;
    const model::Tokenizer& tokenizer_;
    boost::json::array content_;  // all but completion
    boost::json::array tokens_, values_, tops_, offsets_;
    size_t offset_ = 0;  // characters of all tokens so far
};

}  // namespace teetee::api
