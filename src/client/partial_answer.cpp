// SPDX-License-Identifier: Apache-2.0
#include "client/partial_answer.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/activations.hpp"
#include "base/strict_json.hpp"
#include "client/limits.hpp"
#include "client/payer.hpp"

namespace teetee::client {
namespace {

constexpr std::string_view receipts_path = "/v1/receipts/";

Error malformed(std::string_view what) {
    return fail(ErrorCode::invalid_json, "answer: " + std::string(what));
}

const boost::json::string* string_at(const boost::json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value == nullptr ? nullptr : value->if_string();
}

Result<std::optional<int64_t>> integer_at(const boost::json::object& object,
                                          std::string_view name) {
    const auto* value = object.if_contains(name);
    if (value == nullptr) return std::optional<int64_t>();
    if (!value->is_int64()) return malformed(std::string(name) + " is no integer");
    return std::optional<int64_t>(value->get_int64());
}

/// The name of an answer, which its receipt has as well.
bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
    });
}

/// Of money, and of who may have an answer without: the client's own affair, under its own code.
/// Another entry knows no better.
std::optional<EntryError> payment_error(const boost::json::object& error,
                                        const boost::json::string* type,
                                        const boost::json::string* code) {
    constexpr std::string_view types[] = {"payment_error", "authentication_error",
                                          "permission_error"};
    if (type == nullptr || code == nullptr || std::ranges::count(types, *type) == 0) return {};
    const auto known = error_code_named(*code);
    if (!known) return {};
    const auto* message = string_at(error, "message");
    const std::string detail =
        "the entry says: " + (message == nullptr ? "nothing" : quote_foreign(*message));
    return EntryError{fail(*known, detail), true, error};
}

EntryError entry_error(const boost::json::object& error) {
    const auto* type = string_at(error, "type");
    const auto* code = string_at(error, "code");
    // Another entry may have more room.
    const bool is_of_room = code != nullptr && *code == to_string(ErrorCode::kv_cache_full);
    // It may do better in a moment.
    const bool is_busy = (type != nullptr && *type == "overloaded_error") ||
                         (code != nullptr && *code == to_string(ErrorCode::route_unavailable));
    if (const auto payment = payment_error(error, type, code)) return *payment;
    // The time was the request's: what is left of it is none, whoever is asked.
    if (code != nullptr && *code == to_string(ErrorCode::deadline_exceeded))
        return {fail(ErrorCode::deadline_exceeded, boost::json::serialize(error)), true, error};
    return {fail(is_busy ? ErrorCode::overloaded : ErrorCode::stage_failed,
                 boost::json::serialize(error)),
            type != nullptr && *type == "invalid_request_error" && !is_of_room, error};
}

Result<std::vector<TokenId>> read_token_ids(const boost::json::value& list) {
    if (!list.is_array()) return malformed("token_ids is no list");
    std::vector<TokenId> ids;
    for (const auto& item : list.get_array()) {
        boost::system::error_code failed;
        ids.push_back(item.to_number<TokenId>(failed));
        if (failed) return malformed("token_ids holds what is no token");
    }
    return ids;
}

/// "" where there is none.
Result<std::string> read_receipt_path(const boost::json::object& event) {
    const auto* path = string_at(event, "receipt");
    if (path == nullptr) return std::string();
    const std::string_view text = *path;
    if (!text.starts_with(receipts_path) || !is_id(text.substr(receipts_path.size())))
        return malformed("a receipt elsewhere");
    return std::string(text);
}

}  // namespace

boost::json::object request_for_rest(boost::json::object body, const PartialAnswer& known) {
    body["stream"] = true;
    body["return_token_ids"] = true;
    if (known.seed) body["seed"] = *known.seed;
    if (known.created) body["created"] = *known.created;
    if (!known.token_ids.empty()) {
        body["answer_token_ids"] =
            boost::json::array(known.token_ids.begin(), known.token_ids.end());
        // Without tokens another entry may well begin anew with another format.
        if (known.activations) body["activations"] = *known.activations;
    }
    return body;
}

std::optional<Duration> timeout_of(const boost::json::object& body) {
    const auto* value = body.if_contains("timeout");
    if (value == nullptr || !value->is_number()) return std::nullopt;
    const double seconds = value->to_number<double>();
    // What is none is the entry's to refuse.
    constexpr double seconds_max = 365.0 * 86400;
    if (!(seconds > 0) || seconds > seconds_max) return std::nullopt;
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

Result<void> spend_timeout(boost::json::object& body, Duration spent) {
    const auto whole = timeout_of(body);
    if (!whole) return {};
    // The shortest that an entry takes.
    constexpr Duration left_min = std::chrono::milliseconds(1);
    if (*whole - spent < left_min)
        return fail(ErrorCode::deadline_exceeded, "the request's timeout is over");
    body["timeout"] = std::chrono::duration<double>(*whole - spent).count();
    return {};
}

EntryError read_entry_error(std::string_view body) {
    boost::system::error_code failed;
    const auto value = boost::json::parse(body, failed);
    const auto* object = failed ? nullptr : value.if_object();
    const auto* error = object == nullptr ? nullptr : object->if_contains("error");
    if (error != nullptr && error->is_object()) return entry_error(error->get_object());
    return {fail(ErrorCode::stage_failed, quote_foreign(body))};
}

bool AnswerReader::feed(std::string_view chunk) {
    buffer_ += chunk;
    size_t begin = 0;
    for (size_t end = buffer_.find('\n'); end != std::string::npos && wants_more();
         end = buffer_.find('\n', begin)) {
        const auto line = std::string_view(buffer_).substr(begin, end - begin);
        begin = end + 1;
        constexpr std::string_view mark = "data: ";
        if (line.starts_with(':')) on_comment(line);
        if (!line.starts_with(mark)) continue;
        if (auto read = on_data(line.substr(mark.size())); !read) failed_ = read.error();
    }
    buffer_.erase(0, begin);
    if (buffer_.size() > event_bytes_max)
        failed_ = fail(ErrorCode::limit_exceeded, "answer: an endless event");
    return wants_more();
}

void AnswerReader::on_comment(std::string_view line) {
    if (const auto standing = parse_standing_comment(line)) {
        if (sink_.on_standing) sink_.on_standing(*standing);
    } else if (sink_.on_comment) {
        sink_.on_comment(line);
    }
}

Result<void> AnswerReader::finish() {
    if (refusal_) return refusal_->error;
    if (failed_) return *failed_;
    if (!is_complete_)
        return fail(ErrorCode::connection_closed, "the answer ended before it was complete");
    if (!last_text_.empty() && sink_.on_text) sink_.on_text(last_text_);
    if (sink_.on_event) {
        for (const boost::json::object& event : last_events_) sink_.on_event(event);
    }
    return {};
}

Result<void> AnswerReader::on_data(std::string_view data) {
    if (data == "[DONE]") {
        if (!has_ended_ && options_.is_resumable) return malformed("an end without a reason");
        is_complete_ = true;
        return {};
    }
    const auto value = parse_strict_json(data, {event_bytes_max, event_depth_max});
    if (!value || !value->is_object()) return malformed("an event is no JSON object");
    return on_event(value->get_object());
}

void AnswerReader::give_out(const boost::json::object& event, std::string_view text) {
    has_begun_ = true;
    if (!text.empty() && sink_.on_text) sink_.on_text(text);
    if (sink_.on_event) sink_.on_event(event);
}

Result<void> AnswerReader::on_event(const boost::json::object& event) {
    if (const auto* error = event.if_contains("error"); error != nullptr && error->is_object()) {
        refusal_ = entry_error(error->get_object());
        return {};
    }
    TT_TRY(const auto seed, integer_at(event, "seed"));
    TT_TRY(const auto created, integer_at(event, "created"));
    if (!known_.seed) known_.seed = seed;
    if (!known_.created) known_.created = created;
    if (const auto* name = string_at(event, "activations"); name != nullptr) {
        if (!activation_format_named(*name)) return malformed("activations of an unknown format");
        activations_ = std::string(*name);
    }
    if (const auto* id = string_at(event, "id"); id != nullptr && is_id(*id) && !has_ended_)
        receipt_path_ = std::string(receipts_path) + std::string(*id);
    TT_TRY(const auto* part, part_of(options_.shape, event));
    if (part != nullptr) return on_part(event, *part);
    if (has_ended_) {
        last_events_.push_back(event);
    } else {
        give_out(event, {});
    }
    return {};
}

Result<void> AnswerReader::on_part(const boost::json::object& event,
                                   const boost::json::object& part) {
    const std::string_view text = text_of(options_.shape, part);
    const auto* reason = part.if_contains("finish_reason");
    const bool is_last = reason != nullptr && !reason->is_null();
    if (is_last || event.contains("ended_by")) {
        const auto* ended_by = string_at(event, "ended_by");
        ended_by_payment_ = ended_by != nullptr && *ended_by == "payment";
    }
    if (is_last) {
        TT_TRY(receipt_path_, read_receipt_path(event));
    }
    if (!options_.is_resumable) {
        give_out(event, text);
        return {};
    }
    if (has_ended_) return malformed("text behind the end");
    if (is_last) {
        has_ended_ = true;
        last_text_ = text;
        last_events_.push_back(event);
        return {};
    }
    const auto* token_ids = part.if_contains("token_ids");
    if (token_ids == nullptr && !text.empty()) return malformed("text that cannot be gone on with");
    if (token_ids != nullptr) TT_CHECK(on_tokens(*token_ids));
    // A call of a tool, say.
    const auto* delta = part.if_contains("delta");
    if (token_ids == nullptr && delta != nullptr) {
        for (const auto& member : delta->get_object())
            known_.is_lost =
                known_.is_lost || (member.key() != "role" && member.key() != "content");
    }
    give_out(event, text);
    return {};
}

Result<void> AnswerReader::on_tokens(const boost::json::value& token_ids) {
    if (known_.token_ids.empty()) known_.activations = activations_;
    TT_TRY(const auto ids, read_token_ids(token_ids));
    if (ids.size() > answer_tokens_max - known_.token_ids.size())
        return fail(ErrorCode::limit_exceeded, "answer: too many tokens");
    known_.token_ids.insert(known_.token_ids.end(), ids.begin(), ids.end());
    return {};
}

}  // namespace teetee::client
