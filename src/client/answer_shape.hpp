// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/result.hpp"

namespace teetee::client {

/// In which shape an entry answers, by the path that was asked.
enum class AnswerShape {
    /// /v1/chat/completions: choices with a delta or a message.
    chat,
    /// /v1/completions: choices with a text.
    completion,
    /// /generate: no choices, the text stands in the object itself.
    generate,
};

/// nullopt for a path whose answers another entry cannot go on with.
std::optional<AnswerShape> answer_shape_of(std::string_view path);

/// Where tokens and the reason of the end stand in an event: its first choice, or the event itself;
/// nullptr where it has none, as one with the usage. Error: invalid_json.
Result<const boost::json::object*> part_of(AnswerShape shape, const boost::json::object& event);

/// The text of a part, "" where it has none.
std::string_view text_of(AnswerShape shape, const boost::json::object& part);

/// How many answers a request asks for (`n`, `best_of`); only one can be gone on with.
int64_t answer_count_of(const boost::json::object& body);

/// The most tokens that a request lets an answer have; 0 where it does not say.
uint64_t tokens_max_of(const boost::json::object& body);

/// Bytes of all that a request says, each of which may be a token of the prompt.
size_t prompt_bytes_of(const boost::json::object& body);

}  // namespace teetee::client
