// SPDX-License-Identifier: Apache-2.0
#include "api/logprobs.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/object.hpp>

#include "base/bytes.hpp"

namespace teetee::api {
namespace {

/// JSON has no infinity: OpenAI's stand-in for "as good as impossible".
constexpr double lowest_logprob = -9999.0;

double json_number(float logprob) {
    return std::max(lowest_logprob, static_cast<double>(logprob));
}

/// A part of a character is shown as OpenAI shows it: bytes:\xe2\x82.
std::string shown(std::string_view text) {
    if (is_utf8(text)) return std::string(text);
    std::string out = "bytes:";
    for (const char c : text) {
        const auto byte = static_cast<uint8_t>(c);
        out += "\\x" + to_hex({&byte, 1});
    }
    return out;
}

boost::json::object chat_entry(const std::string& text, float logprob) {
    boost::json::array bytes;
    for (const char c : text) bytes.emplace_back(static_cast<uint8_t>(c));
    return {{"token", shown(text)}, {"logprob", json_number(logprob)}, {"bytes", bytes}};
}

size_t character_count(std::string_view text) {
    return static_cast<size_t>(
        std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::string LogprobsReport::text_of(TokenId token) const {
    return tokenizer_.decode({&token, 1}, {.render_special = true, .continues_text = true})
        .value_or("");
}

void LogprobsReport::add(TokenId token, const TokenLogprobs& logprobs) {
    const std::string text = text_of(token);
    if (dialect_ != Dialect::completion) {
        const auto entry_of = [&](TokenId id, const std::string& shown_text, float logprob) {
            boost::json::object entry = chat_entry(shown_text, logprob);
            if (dialect_ == Dialect::llama) entry["id"] = id;
            return entry;
        };
        boost::json::object entry = entry_of(token, text, logprobs.chosen);
        boost::json::array top;
        for (const TokenLogprob& other : logprobs.top)
            top.push_back(entry_of(other.token, text_of(other.token), other.logprob));
        entry["top_logprobs"] = std::move(top);
        content_.push_back(std::move(entry));
        return;
    }
    boost::json::object top;
    // Two tokens may have one text: the likelier one comes first and stays.
    for (const TokenLogprob& other : logprobs.top)
        top.emplace(shown(text_of(other.token)), json_number(other.logprob));
    tokens_.emplace_back(shown(text));
    values_.emplace_back(json_number(logprobs.chosen));
    tops_.push_back(std::move(top));
    offsets_.emplace_back(offset_);
    offset_ += character_count(text);
}

void LogprobsReport::skip(TokenId token) {
    offset_ += character_count(text_of(token));
}

boost::json::value LogprobsReport::take() {
    if (content_.empty() && tokens_.empty()) return nullptr;
    if (dialect_ == Dialect::responses || dialect_ == Dialect::llama)
        return std::exchange(content_, {});
    if (dialect_ == Dialect::chat)
        return boost::json::object{{"content", std::exchange(content_, {})}, {"refusal", nullptr}};
    return boost::json::object{{"tokens", std::exchange(tokens_, {})},
                               {"token_logprobs", std::exchange(values_, {})},
                               {"top_logprobs", std::exchange(tops_, {})},
                               {"text_offset", std::exchange(offsets_, {})}};
}

}  // namespace teetee::api
