// SPDX-License-Identifier: Apache-2.0
#include "client/client.hpp"

#include <algorithm>
#include <map>

#include <boost/json/serialize.hpp>

#include "attest/limits.hpp"
#include "attest/receipt_json.hpp"
#include "client/entry_list.hpp"
#include "client/limits.hpp"
#include "net/rest.hpp"

namespace teetee::client {
namespace {

/// With so many an entry is not asked again for this answer.
constexpr int strikes_max = 2;
/// How old what is known of other entries may be when it is needed.
constexpr Duration list_age_max = std::chrono::minutes(1);

/// Of an entry that failed so.
int strikes_for(ErrorCode code) {
    switch (code) {
        // It lives, and says that it cannot.
        case ErrorCode::stage_failed:
            return strikes_max;
        // It may have been started again in a moment.
        case ErrorCode::connect_failed:
        case ErrorCode::connection_closed:
        case ErrorCode::timed_out:
        case ErrorCode::tls_failed:
        case ErrorCode::http_malformed:  // as a cut connection looks
        case ErrorCode::not_ready:
        case ErrorCode::sealed_truncated:
        // Or have room.
        case ErrorCode::overloaded:
            return 0;
        // Evidence, or records that do not open, are no accident; but keys change.
        default:
            return 1;
    }
}

/// What no other entry would do better.
bool is_of_money(ErrorCode code) {
    constexpr ErrorCode codes[] = {ErrorCode::payment_required, ErrorCode::voucher_unknown,
                                   ErrorCode::voucher_ended,    ErrorCode::voucher_exhausted,
                                   ErrorCode::host_unknown,     ErrorCode::sign_in_rejected,
                                   ErrorCode::invalid_argument, ErrorCode::signature_invalid};
    return std::ranges::count(codes, code) > 0;
}

/// Of all that is said so far.
size_t text_bytes(const boost::json::object& body) {
    size_t bytes = 0;
    const auto* messages = body.if_contains("messages");
    if (messages == nullptr || !messages->is_array()) return bytes;
    for (const auto& message : messages->get_array()) {
        const auto* object = message.if_object();
        const auto* content = object == nullptr ? nullptr : object->if_contains("content");
        if (content != nullptr && content->is_string()) bytes += content->get_string().size();
    }
    return bytes;
}

/// A receipt comes when the stages' quotes have, which the entry waits 20 s for.
constexpr Duration receipt_silence_max = std::chrono::seconds(40);

/// Between two turns of all entries.
constexpr Duration rest_time = std::chrono::milliseconds(500);

}  // namespace

struct Client::Asking {
    PartialAnswer known{};
    std::vector<AnswerPart> parts{};
    /// Unless tokens come before.
    Instant give_up_at{};
    /// Whose turn it was when the answer was interrupted.
    size_t first_turn = 0;
    std::map<std::string, int> strikes{};
    /// Why the entry that was asked last did not go on.
    std::optional<Error> interruption{};
    /// Every entry would refuse the request.
    bool is_refused = false;
    /// Of what the entry that was asked last answers.
    std::optional<AnswerReader> reader{};
};

Result<Client> Client::connect(ClientOptions options) {
    Client client(std::move(options));
    std::optional<Error> first;
    for (size_t i = 0; i < client.urls_.size(); ++i) {
        auto entry = client.open(client.urls_[i], client.options_.silence_max);
        if (entry) {
            client.turn_ = i;
            client.entry_ = std::move(entry).value();
            return client;
        }
        if (!first) first = std::move(entry).error();
    }
    return first.value_or(fail(ErrorCode::invalid_argument, "client: need the URL of an entry"));
}

Result<std::vector<AnswerPart>> Client::ask(const boost::json::object& body, const Events& events) {
    const SystemClock clock;
    Asking asking;
    while (true) {
        const bool is_whole = !asking.interruption;
        const size_t token_count = asking.known.token_ids.size();
        const auto answered = go_on(body, events, asking);
        if (answered) return std::move(asking.parts);
        if (asking.is_refused) return answered.error();
        if (is_whole || asking.known.token_ids.size() > token_count) {
            asking.strikes.clear();
            asking.first_turn = turn_;
            asking.give_up_at = clock.now() + options_.patience;
        }
        TT_CHECK(turn_to_next(asking, answered.error()));
    }
}

Result<VerifiedEntry> Client::open(const std::string& url, Duration silence_max) {
    TT_TRY(auto entry, VerifiedEntry::open({.url = url,
                                            .privacy = options_.privacy,
                                            .terms = options_.terms,
                                            .silence_max = silence_max}));
    TT_TRY(route_, entry.verify_route());
    return entry;
}

/// Of the entry whose turn it is; it need not know any.
void Client::learn_entries() {
    const Instant now = SystemClock().now();
    if (learned_at_ != Instant{} && now < learned_at_ + list_age_max) return;
    std::string body;
    const auto answer = entry_->get("/v1/entries", [&](std::string_view chunk) {
        body += chunk;
        return body.size() <= entry_list_bytes_max;
    });
    const auto listed = parse_entry_list(body);
    if (!answer || answer->status != 200 || !listed) return;
    learned_at_ = now;
    for (const ListedEntry& entry : *listed) {
        const bool needs_tls = options_.privacy == Privacy::attested_tls || entry.api_url.empty();
        const std::string& url = needs_tls ? entry.api_tls_url : entry.api_url;
        if (!url.empty() && urls_.size() < entries_max && std::ranges::count(urls_, url) == 0)
            urls_.push_back(url);
    }
}

/// Pays, where answers cost something. An entry that wants to be paid better is asked again.
Result<VerifiedEntry::Answer> Client::post(const boost::json::object& body, const Events& events,
                                           Asking& asking) {
    const std::string text = boost::json::serialize(request_for_rest(body, asking.known));
    const size_t prompt_bytes = text_bytes(body) + asking.known.token_ids.size();
    while (true) {
        net::HttpHeaders headers;
        if (options_.payer) {
            const auto claim = options_.payer->pay(*entry_, {text, prompt_bytes});
            if (!claim && options_.payer->tries_again(claim.error().code)) continue;
            if (!claim) {
                asking.is_refused = is_of_money(claim.error().code);
                return claim.error();
            }
            headers.emplace(billing::payment_header_name, billing::encode_payment(*claim));
        }
        AnswerReader& reader = asking.reader.emplace(
            asking.known, events.on_text, [this](const billing::Standing& standing) {
                if (options_.payer) options_.payer->on_standing(*entry_, standing);
            });
        auto answer =
            entry_->post("/v1/chat/completions", text, headers,
                         [&reader](std::string_view chunk) { return reader.feed(chunk); });
        const bool is_refused = answer && answer->status != 200;
        if (is_refused && options_.payer &&
            options_.payer->tries_again(read_entry_error(answer->beginning).error.code))
            continue;
        return answer;
    }
}

/// The entry whose turn it is begins with the answer, or goes on with it.
Result<void> Client::go_on(const boost::json::object& body, const Events& events, Asking& asking) {
    const size_t known_count = asking.known.token_ids.size();
    if (!entry_) {
        TT_TRY(entry_, open(urls_[turn_], options_.silence_max));
        events.on_opened(urls_[turn_]);
        if (asking.interruption) events.on_moved(urls_[turn_], known_count, *asking.interruption);
    }
    learn_entries();
    asking.reader.reset();
    const auto answer = post(body, events, asking);
    // There is none where there was no paying.
    AnswerReader* const reader = asking.reader ? &*asking.reader : nullptr;
    Result<void> end;
    if (answer && answer->status != 200) {
        EntryError refusal = read_entry_error(answer->beginning);
        asking.is_refused = refusal.is_of_request;
        end = std::move(refusal.error);
    } else if (reader != nullptr && (answer || reader->was_refused())) {
        // What the entry says of a failure tells more than how the connection ended after it.
        asking.is_refused = reader->refuses_the_request();
        end = reader->finish();
    } else {
        end = answer.error();
    }
    const size_t token_count = asking.known.token_ids.size() - known_count;
    // Where nothing but the end was missing, nothing was computed.
    const bool has_receipt = end && !reader->receipt_path().empty();
    if (token_count > 0 || has_receipt || (end && asking.parts.empty()))
        asking.parts.push_back(
            {entry_->url(), token_count, reader->receipt_path(), reader->ended_by_payment()});
    if (!end) asking.interruption = end.error();
    return end;
}

/// Errors: why the answer was interrupted, when all have had their turn and time is up, or nobody
/// is left who might do better.
Result<void> Client::turn_to_next(Asking& asking, const Error& why) {
    entry_.reset();
    if (!asking.interruption) asking.interruption = why;
    asking.strikes[urls_[turn_]] += strikes_for(why.code);
    bool is_new_round = false;
    for (size_t i = 0; i < urls_.size(); ++i) {
        turn_ = (turn_ + 1) % urls_.size();
        is_new_round = is_new_round || turn_ == asking.first_turn;
        if (asking.strikes[urls_[turn_]] >= strikes_max) continue;
        if (!is_new_round) return {};
        if (SystemClock().now() >= asking.give_up_at) break;
        net::rest(rest_time);
        return {};
    }
    Error out = *asking.interruption;
    if (why.message() != out.message())
        out.detail += "; no entry goes on with it, the last one: " + why.message();
    return out;
}

Result<std::string> Client::fetch_receipt(const AnswerPart& part) {
    if (part.receipt_path.empty())
        return fail(ErrorCode::receipt_unknown, "the entry named no receipt");
    TT_TRY(const auto entry,
           open(part.entry_url, std::max(receipt_silence_max, options_.silence_max)));
    std::string receipt;
    TT_TRY(const auto answer, entry.get(part.receipt_path, [&receipt](std::string_view chunk) {
        receipt += chunk;
        return receipt.size() <= attest::receipt_bytes_max;
    }));
    if (answer.status != 200)
        return fail(ErrorCode::receipt_unknown, quote_foreign(answer.beginning));
    TT_CHECK(attest::parse_receipt(receipt));
    return receipt;
}

}  // namespace teetee::client
