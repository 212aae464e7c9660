// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/request.hpp"
#include "base/result.hpp"
#include "base/world.hpp"
#include "billing/till.hpp"
#include "client/answer_shape.hpp"

namespace teetee::client {

/// What a client has of an answer: enough for any entry to go on with it, token for token.
struct PartialAnswer {
    std::vector<TokenId> token_ids;
    /// As the first entry told them.
    std::optional<int64_t> seed;
    std::optional<UnixSeconds> created;
    /// The format of rows with which the tokens were computed.
    std::optional<std::string> activations{};
    /// Something has been given out that no token stands for: nobody can go on with it.
    bool is_lost = false;
};

/// The request for the rest of the answer to `body`, as a stream that can be taken up in its turn.
boost::json::object request_for_rest(boost::json::object body, const PartialAnswer& known);

/// How long the whole of an answer may take, by the body's "timeout"; nullopt where it says nothing
/// that an entry would take.
std::optional<Duration> timeout_of(const boost::json::object& body);
/// Leaves in the body's "timeout" what is left of it: who goes on counts from anew. Error:
/// deadline_exceeded where nothing is.
Result<void> spend_timeout(boost::json::object& body, Duration spent);

/// An error that an entry answers with.
struct EntryError {
    Error error;
    /// Any entry would say the same.
    bool is_of_request = false;
    /// The error object as the entry sent it; empty where it sent none.
    boost::json::object said{};
};

/// Reads what one entry streams of an answer (docs/api.md, "Taking up an answer"): text goes out at
/// once, its tokens are added to what is known with it. What comes with the answer's end counts
/// only once the stream has ended as it should: if it does not, another entry gives it again.
class AnswerReader {
  public:
    /// Where it goes; each may be empty.
    struct Sink {
        std::function<void(std::string_view)> on_text{};
        /// The whole event that a text is of, and those without any.
        std::function<void(const boost::json::object&)> on_event{};
        /// A line that begins with a colon, but for those on payment.
        std::function<void(std::string_view)> on_comment{};
        std::function<void(const billing::Standing&)> on_standing{};
    };
    struct Options {
        AnswerShape shape = AnswerShape::chat;
        /// Every text must come with its tokens. Without that all is given out as it comes, and
        /// nothing is known by it.
        bool is_resumable = true;
    };
    /// `known` MUST outlive it.
    AnswerReader(PartialAnswer& known, Sink sink, Options options)
        : known_(known), sink_(std::move(sink)), options_(options) {}
    AnswerReader(PartialAnswer& known, Sink sink)
        : AnswerReader(known, std::move(sink), Options{}) {}

    /// The body as it comes; false where no more of it is wanted.
    bool feed(std::string_view chunk);
    /// There is no more. Errors: that of an error event; invalid_json, limit_exceeded for what is
    /// no such stream; connection_closed where the end is missing.
    Result<void> finish();

    /// The answer is shorter than it might be for want of money.
    bool ended_by_payment() const { return ended_by_payment_; }
    const std::optional<EntryError>& refusal() const { return refusal_; }
    /// Where the receipt of this part will be; "" as long as it is not known.
    const std::string& receipt_path() const { return receipt_path_; }
    /// Some event has been given out.
    bool has_begun() const { return has_begun_; }

  private:
    bool wants_more() const { return !is_complete_ && !refusal_ && !failed_; }
    void on_comment(std::string_view line);
    Result<void> on_data(std::string_view data);
    Result<void> on_event(const boost::json::object& event);
    Result<void> on_part(const boost::json::object& event, const boost::json::object& part);
    Result<void> on_tokens(const boost::json::value& token_ids);
    void give_out(const boost::json::object& event, std::string_view text);

    PartialAnswer& known_;
    Sink sink_;
    Options options_;
    std::string buffer_;
    std::string receipt_path_;
    std::optional<std::string> activations_;
    /// From the reason why the answer ends on.
    std::vector<boost::json::object> last_events_;
    std::string last_text_;
    bool has_ended_ = false;
    bool has_begun_ = false;
    bool is_complete_ = false;
    bool ended_by_payment_ = false;
    std::optional<EntryError> refusal_;
    std::optional<Error> failed_;
};

/// Of a body {"error":{"message","type","code"}}.
EntryError read_entry_error(std::string_view body);

}  // namespace teetee::client
