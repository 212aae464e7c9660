// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "jinja/template.hpp"
#include "model/vocabulary.hpp"

namespace teetee::model {

/// A model's tokenizer.chat_template with the special tokens it may write: bos_token, eos_token
/// and unk_token, where the vocabulary has them. Immutable: safe to use from several threads.
class ChatTemplate {
  public:
    /// Errors: template_unsupported where the model has none or it reaches other templates;
    /// template_malformed, limit_exceeded, invalid_utf8.
    static Result<ChatTemplate> build(const Vocabulary& vocabulary);

    /// The text for Tokenizer::encode_chat. `context` holds "messages", "add_generation_prompt" and
    /// whatever else the template reads. Errors: template_failed, limit_exceeded; neither holds
    /// any text of the context.
    Result<jinja::Text> render(boost::json::object context, UnixSeconds now) const;

  private:
    ChatTemplate(jinja::Template parsed, std::map<std::string, std::string> tokens)
        : template_(std::move(parsed)), tokens_(std::move(tokens)) {}

    jinja::Template template_;
    std::map<std::string, std::string> tokens_;
};

}  // namespace teetee::model
