// SPDX-License-Identifier: Apache-2.0
#include "api/story_format.hpp"

#include <boost/json/array.hpp>

#include "api/format_parts.hpp"

namespace teetee::api {

namespace json = boost::json;

json::object StoryFormat::envelope() const {
    json::object out = {{"id", "gen-" + head_.id}, {"model", head_.model}};
    if (request_.return_token_ids) {
        out["seed"] = static_cast<int64_t>(request_.sampling.seed);
        out["activations"] = head_.activations;
    }
    return out;
}

json::object StoryFormat::part(const Piece& piece, const Ending* ending) const {
    json::object out = envelope();
    out["text"] = piece.text;
    out["finish_reason"] = finish_reason(ending);
    if (request_.return_token_ids)
        out["token_ids"] = json::array(piece.token_ids.begin(), piece.token_ids.end());
    if (ending == nullptr) return out;
    if (!ending->receipt.empty()) out["receipt"] = ending->receipt;
    if (ending->is_ended_by_payment) out["ended_by"] = "payment";
    return out;
}

std::string StoryFormat::piece(size_t, const Piece& piece) {
    return event(part(piece, nullptr));
}

std::string StoryFormat::ending(size_t, const Piece& last, const Ending& ending) {
    return event(part(last, &ending));
}

std::string StoryFormat::finish(const pipeline::Usage& total) {
    json::object closing = envelope();
    closing["usage"] = usage_json(total);
    return event(closing) + "data: [DONE]\n\n";
}

std::string StoryFormat::failure(const json::object& error) {
    return named_event("error", error);
}

std::string StoryFormat::whole(const std::vector<WholeAnswer>& answers,
                               const pipeline::Usage& total) {
    json::object out = part(answers.front().piece, &answers.front().ending);
    out["seed"] = static_cast<int64_t>(request_.sampling.seed);
    out["usage"] = usage_json(total);
    return object_text(out);
}

}  // namespace teetee::api
