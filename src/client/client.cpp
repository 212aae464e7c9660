// SPDX-License-Identifier: Apache-2.0
#include "client/client.hpp"

#include <algorithm>
#include <map>

#include <boost/json/serialize.hpp>

#include "attest/limits.hpp"
#include "attest/receipt_json.hpp"
#include "net/rest.hpp"

namespace teetee::client {
namespace {

/// With so many an entry is not asked again for this answer.
constexpr int strikes_max = 2;

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

/// A receipt comes when the stages' quotes have, which the entry waits 20 s for.
constexpr Duration receipt_silence_max = std::chrono::seconds(40);

/// Between two turns of all entries.
constexpr Duration rest_time = std::chrono::milliseconds(500);

/// Whether the entry itself said so, over a channel that was well.
bool was_said(ErrorCode code) {
    return code == ErrorCode::overloaded || code == ErrorCode::stage_failed ||
           code == ErrorCode::not_ready;
}

}  // namespace

struct Client::Asking {
    const Question& question;
    const Events& events;
    AnswerReader::Options format{};
    /// Null where answers are free.
    std::unique_ptr<AnswerPayment> payment{};
    PartialAnswer known{};
    std::vector<AnswerPart> parts{};
    Instant begun_at{};
    /// Unless tokens come before.
    Instant give_up_at{};
    /// Whose turn it was when the answer was interrupted.
    size_t first_turn = 0;
    std::map<std::string, int> strikes{};
    /// Why the entry that was asked last did not go on.
    std::optional<Error> interruption{};
    /// Every entry would refuse the request, or nobody can go on with what has come.
    bool is_refused = false;
    // Of what the entry that was asked last answers.
    std::optional<AnswerReader> reader{};
    std::string request{};
    std::string text{};
};

Client::Client(ClientOptions options)
    : options_(std::move(options)), urls_(options_.entries->urls()) {
    const auto preferred = std::ranges::find(urls_, options_.entries->preferred());
    if (preferred != urls_.end()) turn_ = static_cast<size_t>(preferred - urls_.begin());
}

Result<Client> Client::connect(ClientOptions options) {
    Client client(std::move(options));
    std::optional<Error> first;
    for (client.turn_ = 0; client.turn_ < client.urls_.size(); ++client.turn_) {
        const auto opened = client.open();
        if (opened) return client;
        if (!first) first = opened.error();
    }
    return first.value_or(fail(ErrorCode::invalid_argument, "client: need the URL of an entry"));
}

Result<void> Client::open() {
    TT_TRY(opened_, options_.entries->open(urls_[turn_]));
    route_ = opened_->route;
    return {};
}

/// Without those that have turned out to be none; the turn stays with whose it is.
void Client::choose_urls() {
    const std::string turn = urls_[turn_];
    urls_ = options_.entries->urls();
    const auto found = std::ranges::find(urls_, turn);
    turn_ = static_cast<size_t>(found - urls_.begin());
    if (found == urls_.end()) urls_.push_back(turn);
}

Result<std::vector<AnswerPart>> Client::ask(const Question& question, const Events& events) {
    const auto shape = answer_shape_of(question.path);
    if (!shape || urls_.empty())
        return fail(ErrorCode::invalid_argument, "client: no such path, or no entry");
    choose_urls();
    const SystemClock clock;
    Asking asking = {.question = question, .events = events};
    asking.begun_at = clock.now();
    asking.format = {.shape = *shape, .is_resumable = answer_count_of(question.body) == 1};
    if (options_.payer) asking.payment = options_.payer->begin();
    refusal_.reset();
    while (true) {
        const bool is_whole = !asking.interruption;
        const size_t token_count = asking.known.token_ids.size();
        const auto answered = go_on(asking);
        if (answered) return std::move(asking.parts);
        if (question.stop.stop_requested())
            return fail(ErrorCode::cancelled, "the answer was stopped");
        if (asking.is_refused) return answered.error();
        if (is_whole || asking.known.token_ids.size() > token_count) {
            asking.strikes.clear();
            asking.first_turn = turn_;
            asking.give_up_at = clock.now() + options_.patience;
        }
        TT_CHECK(turn_to_next(asking, answered.error()));
    }
}

/// Pays, where answers cost something. An entry that wants to be paid better is asked again.
Result<VerifiedEntry::Answer> Client::post(Asking& asking) {
    const Question& question = asking.question;
    boost::json::object body = question.body;
    if (asking.format.is_resumable) body = request_for_rest(std::move(body), asking.known);
    body["stream"] = true;
    if (asking.interruption) {
        const auto left = spend_timeout(body, SystemClock().now() - asking.begun_at);
        asking.is_refused = !left;
        TT_CHECK(left);
    }
    asking.request = boost::json::serialize(body);
    const Purchase purchase = {asking.request,
                               prompt_bytes_of(question.body) + asking.known.token_ids.size()};
    const VerifiedEntry& entry = opened_->entry;
    while (!question.stop.stop_requested()) {
        net::HttpHeaders headers = question.headers;
        headers["content-type"] = "application/json";
        if (asking.payment) {
            const auto claim = asking.payment->pay(entry, purchase);
            if (!claim && asking.payment->tries_again(claim.error().code)) continue;
            if (!claim) {
                asking.is_refused = is_of_money(claim.error().code);
                return claim.error();
            }
            headers.emplace(billing::payment_header_name, billing::encode_payment(*claim));
        }
        asking.text.clear();
        AnswerReader& reader = asking.reader.emplace(
            asking.known,
            AnswerReader::Sink{.on_text =
                                   [&asking](std::string_view text) {
                                       asking.text += text;
                                       if (asking.events.on_text) asking.events.on_text(text);
                                   },
                               .on_event = asking.events.on_event,
                               .on_comment = asking.events.on_comment,
                               .on_standing =
                                   [&](const billing::Standing& standing) {
                                       if (asking.payment)
                                           asking.payment->on_standing(entry, standing);
                                   }},
            asking.format);
        auto answer =
            entry.send({.method = "POST",
                        .path = question.path,
                        .body = asking.request,
                        .headers = std::move(headers),
                        .on_body = [&](std::string_view chunk) { return reader.feed(chunk); },
                        .stop = question.stop});
        const bool is_refused = answer && answer->status != 200;
        if (is_refused && asking.payment &&
            asking.payment->tries_again(read_entry_error(answer->beginning).error.code))
            continue;
        return answer;
    }
    return fail(ErrorCode::cancelled, "the answer was stopped");
}

/// The entry whose turn it is begins with the answer, or goes on with it.
Result<void> Client::go_on(Asking& asking) {
    const size_t known_count = asking.known.token_ids.size();
    const Events& events = asking.events;
    refusal_.reset();
    if (!opened_) {
        TT_CHECK(open());
        if (events.on_opened) events.on_opened(urls_[turn_]);
    }
    if (asking.interruption && events.on_moved)
        events.on_moved(urls_[turn_], known_count, *asking.interruption);
    options_.entries->learn(opened_->entry);
    // Whoever has a turn keeps it.
    for (const std::string& url : options_.entries->urls()) {
        if (std::ranges::count(urls_, url) == 0) urls_.push_back(url);
    }
    if (events.on_asked) events.on_asked(*opened_, known_count);
    asking.reader.reset();
    const auto answer = post(asking);
    auto end = take_end(asking, answer);
    // There is none where there was no paying.
    const AnswerReader* reader = asking.reader ? &*asking.reader : nullptr;
    const size_t token_count = asking.known.token_ids.size() - known_count;
    // Where nothing but the end was missing, nothing was computed.
    const bool has_receipt = end && !reader->receipt_path().empty();
    if (token_count > 0 || has_receipt || (end && asking.parts.empty())) {
        asking.parts.push_back({opened_->entry.url(), token_count, reader->receipt_path(),
                                reader->ended_by_payment(), std::move(asking.request),
                                std::move(asking.text)});
    }
    const bool is_begun = reader != nullptr && reader->has_begun();
    if (!end && (asking.known.is_lost || (is_begun && !asking.format.is_resumable)))
        asking.is_refused = true;
    if (end) options_.entries->prefer(opened_->entry.url());
    if (!end) asking.interruption = end.error();
    return end;
}

Result<void> Client::take_end(Asking& asking, const Result<VerifiedEntry::Answer>& answer) {
    if (answer && answer->status != 200) {
        EntryError said = read_entry_error(answer->beginning);
        asking.is_refused = said.is_of_request;
        refusal_ = {answer->status, answer->headers, answer->beginning};
        return std::move(said.error);
    }
    AnswerReader* reader = asking.reader ? &*asking.reader : nullptr;
    if (reader == nullptr || (!answer && !reader->refusal())) return answer.error();
    // What the entry says of a failure tells more than how the connection ended after it.
    if (const auto& said = reader->refusal()) {
        asking.is_refused = said->is_of_request;
        const boost::json::object body = {{"error", said->said}};
        refusal_ = {0, {}, boost::json::serialize(body)};
    }
    return reader->finish();
}

/// Errors: why the answer was interrupted, when all have had their turn and time is up, or nobody
/// is left who might do better.
Result<void> Client::turn_to_next(Asking& asking, const Error& why) {
    if (!was_said(why.code)) options_.entries->forget(opened_);
    opened_.reset();
    if (!asking.interruption) asking.interruption = why;
    asking.strikes[urls_[turn_]] += strikes_for(why.code);
    const Instant now = SystemClock().now();
    if (const auto timeout = timeout_of(asking.question.body);
        timeout && now - asking.begun_at >= *timeout) {
        refusal_.reset();
        return fail(ErrorCode::deadline_exceeded, "the request's timeout is over");
    }
    bool is_new_round = false;
    for (size_t i = 0; i < urls_.size(); ++i) {
        turn_ = (turn_ + 1) % urls_.size();
        is_new_round = is_new_round || turn_ == asking.first_turn;
        if (asking.strikes[urls_[turn_]] >= strikes_max) continue;
        const bool is_time_up = now >= asking.give_up_at;
        // Of those that the user named each has its turn; others may be as many as an entry likes.
        if (is_time_up && !options_.entries->is_named(urls_[turn_])) continue;
        if (!is_new_round) return {};
        if (is_time_up) break;
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
    TT_TRY(auto entry, options_.entries->open_patiently(part.entry_url, receipt_silence_max));
    TT_CHECK(entry.verify_route());
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
