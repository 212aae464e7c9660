// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.hpp"
#include "model/tokenizer.hpp"
#include "model/vocabulary.hpp"

namespace teetee::cli {

/// A text file; "" when it is not there. Errors: io_failed, limit_exceeded.
Result<std::string> read_optional(const std::string& path, size_t bytes_max);

/// The vocabulary of a folder in Hugging Face's layout: tokenizer.json or tokenizer.model, with
/// tokenizer_config.json, generation_config.json and chat_template.jinja where they stand there.
Result<model::Vocabulary> read_vocabulary(const std::string& folder);

/// The tokenizer of a GGUF file, a tokenizer.json, a tokenizer.model (each with the configuration
/// beside it) or a folder with one of them.
Result<model::Tokenizer> open_tokenizer(const std::string& path);

}  // namespace teetee::cli
