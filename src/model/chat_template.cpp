// SPDX-License-Identifier: Apache-2.0
#include "model/chat_template.hpp"

namespace teetee::model {

Result<ChatTemplate> ChatTemplate::build(const Vocabulary& vocabulary) {
    if (vocabulary.chat_template.empty()) {
        return fail(ErrorCode::template_unsupported, "tokenizer.chat_template: the model has none");
    }
    auto parsed = jinja::Template::parse(vocabulary.chat_template);
    if (!parsed) return in_context("tokenizer.chat_template", std::move(parsed).error());
    std::map<std::string, std::string> tokens;
    for (const auto& [name, id] : {std::pair{"bos_token", vocabulary.bos},
                                   {"eos_token", vocabulary.eos},
                                   {"unk_token", vocabulary.unknown}}) {
        if (id) tokens[name] = vocabulary.tokens[*id].text;
    }
    return ChatTemplate(std::move(parsed).value(), std::move(tokens));
}

Result<jinja::Text> ChatTemplate::render(boost::json::object context, UnixSeconds now) const {
    jinja::Inputs inputs;
    inputs.context = std::move(context);
    inputs.trusted = tokens_;
    inputs.now = now;
    auto text = template_.render(inputs);
    if (!text) return in_context("tokenizer.chat_template", std::move(text).error());
    return text;
}

}  // namespace teetee::model
