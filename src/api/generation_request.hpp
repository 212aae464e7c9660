// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/activations.hpp"
#include "base/request.hpp"
#include "base/result.hpp"
#include "base/world.hpp"
#include "billing/payment_header.hpp"

namespace teetee::api {

/// Which of the three routes a request came by; they differ in where the prompt stands and in the
/// shape of the answer.
enum class Dialect { generate, completion, chat };

struct ChatMessage {
    std::string role;
    std::string content;
};

/// What a client asks for, whatever the route.
struct GenerationRequest {
    Dialect dialect{};
    std::string model;                  // "" when not named
    std::string prompt;                 // generate, completion
    std::vector<ChatMessage> messages;  // chat
    uint32_t tokens_max = 0;            // 0: tokens_max_default, or what fits
    SamplingOptions sampling;           // a constraint in it has been compiled once
    bool has_seed = false;
    std::vector<std::string> stops;
    bool stream = false;
    std::optional<Digest> tenant;  // from the bearer token, not from the body
    Digest body_hash{};            // SHA-256 of the body as it came
    std::optional<billing::PaymentClaim> payment;
    bool stream_usage = false;  // stream_options.include_usage
    bool wants_fresh_quotes = false;
    /// What the client has of the answer, from another entry.
    std::vector<TokenId> answer_token_ids;
    bool return_token_ids = false;
    /// The format that the tokens were computed with.
    std::optional<ActivationFormat> activations;
    /// What the chat template takes for the time, and the answer says of itself; else now.
    std::optional<UnixSeconds> created;
    std::optional<Duration> timeout;  // until the answer is whole
};

/// Of the field, or the parameter of the query, that asks for fresh quotes: "quote" is the one
/// thing it may say. Error: field_invalid.
Result<void> ensure_asks_for_quotes(std::string_view attest);

/// Errors: invalid_json, invalid_utf8, field_invalid naming the field; grammar_invalid and
/// grammar_too_complex, saying where in the grammar or schema.
Result<GenerationRequest> parse_generation_request(Dialect dialect, std::string_view body);

}  // namespace teetee::api
