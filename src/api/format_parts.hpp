// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "api/reply_format.hpp"

namespace teetee::api {

/// "data: {..}" and the empty line that ends an event.
std::string event(const boost::json::object& data);
/// With "event: NAME" before it.
std::string named_event(std::string_view name, const boost::json::object& data);

/// OpenAI's of completions and chats.
boost::json::object usage_json(const pipeline::Usage& usage);

/// OpenAI's word for how an answer has ended; null while it has not.
boost::json::value finish_reason(const Ending* ending);

/// {"id","type":"function","function":{"name","arguments"}}.
boost::json::object call_json(const NamedCall& call);

/// llama-server's "timings"; the prompt's time has the wait for its turn in it.
boost::json::object timings_json(const pipeline::Usage& usage, const Timings& timings);

/// Of answers that were computed side by side.
Timings longest_timings(const std::vector<WholeAnswer>& answers);

/// An object as the body of a reply.
std::string object_text(const boost::json::object& object);

/// The number with the fewest digits that is this float: 0.8 and not 0.800000011920929.
double shortest(float number);

}  // namespace teetee::api
