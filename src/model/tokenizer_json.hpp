// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "model/vocabulary.hpp"

namespace teetee::model {

/// The files of a Hugging Face checkpoint that say how text becomes tokens; "" for one that is not
/// there.
struct TokenizerFiles {
    std::string_view tokenizer_json{};
    std::string_view sentencepiece_model{};  // tokenizer.model, used without a tokenizer.json
    std::string_view tokenizer_config{};     // tokenizer_config.json
    std::string_view generation_config{};    // generation_config.json
    std::string_view chat_template{};        // chat_template.jinja
};

/// Reads them into one valid vocabulary with rules. Models BPE and Unigram are known. BOS and EOS
/// are added as the post-processor has it; add_bos_token and add_eos_token of the configuration win
/// where there is no template, and in the tokenizer classes that rebuild it from them (Llama's and
/// Gemma's). Errors: tokenizer_unsupported naming the component that is not known;
/// vocabulary_invalid; invalid_json; limit_exceeded.
Result<Vocabulary> vocabulary_from(const TokenizerFiles& files);

/// A tokenizer.json alone (Hugging Face tokenizers, format 1.0).
Result<Vocabulary> parse_tokenizer_json(std::string_view text);

}  // namespace teetee::model
