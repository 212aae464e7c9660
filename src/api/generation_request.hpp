// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "api/tools.hpp"
#include "base/activations.hpp"
#include "base/request.hpp"
#include "base/result.hpp"
#include "base/world.hpp"
#include "billing/till.hpp"

namespace teetee::api {

/// Which API a request belongs to; they differ in where the prompt stands, in some names of fields,
/// in defaults and in the shape of the answer.
enum class Dialect {
    /// POST /generate.
    generate,
    /// OpenAI's /v1/completions.
    completion,
    /// OpenAI's /v1/chat/completions.
    chat,
    /// OpenAI's /v1/responses.
    responses,
    /// llama-server's own /completion.
    llama,
    /// OpenAI's /v1/embeddings.
    embeddings,
};

/// Whether a request's prompt is a conversation.
constexpr bool is_chat(Dialect dialect) {
    return dialect == Dialect::chat || dialect == Dialect::responses;
}

/// A text, or the tokens of one.
using Prompt = std::variant<std::string, std::vector<TokenId>>;

/// What a client asks for, whatever the route.
struct GenerationRequest {
    Dialect dialect{};
    std::string model;            // "" when not named
    std::vector<Prompt> prompts;  // at least one, unless it is a chat
    boost::json::array messages;  // of a chat, as chat templates take them
    ToolUse tools;                // of a chat
    /// Of an answer that must call a tool: what its prompt ends with.
    std::string call_begun;
    /// Further variables of the chat template (chat_template_kwargs).
    boost::json::object template_variables;
    /// The last message is an assistant's, and the answer goes on with it.
    bool continues_message = false;
    /// Of each prompt.
    uint32_t choices = 1;
    uint32_t tokens_max = 0;   // 0: a default, or what fits
    SamplingOptions sampling;  // a constraint in it has been compiled once
    bool has_seed = false;
    std::vector<std::string> stops;
    bool stream = false;
    std::optional<Digest> tenant;             // from the bearer token, not from the body
    Digest body_hash{};                       // SHA-256 of the body as it came
    std::optional<billing::Payment> payment;  // by the header, or by what the API key stands for
    bool stream_usage = false;                // stream_options.include_usage
    bool wants_fresh_quotes = false;
    /// What the client has of the answer, from another entry.
    std::vector<TokenId> answer_token_ids;
    bool return_token_ids = false;
    /// The format that the tokens were computed with.
    std::optional<ActivationFormat> activations;
    /// What the chat template takes for the time, and the answer says of itself; else now.
    std::optional<UnixSeconds> created;
    std::optional<Duration> timeout;  // until the answer is whole
    /// Of embeddings: how their numbers are written.
    bool wants_base64 = false;
    /// What /v1/responses says again of the request.
    boost::json::object echoed;

    size_t answer_count() const { return std::max<size_t>(1, prompts.size()) * choices; }
};

/// Of the field, or the parameter of the query, that asks for fresh quotes: "quote" is the one
/// thing it may say. Error: field_invalid.
Result<void> ensure_asks_for_quotes(std::string_view attest);

/// Errors: invalid_json, invalid_utf8, field_invalid naming the field; grammar_invalid and
/// grammar_too_complex, saying where in the grammar or schema.
Result<GenerationRequest> parse_generation_request(Dialect dialect, std::string_view body);

}  // namespace teetee::api
