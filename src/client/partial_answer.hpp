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

namespace teetee::client {

/// What a client has of an answer: enough for any entry to go on with it, token for token.
struct PartialAnswer {
    std::vector<TokenId> token_ids;
    /// As the first entry told them.
    std::optional<int64_t> seed;
    std::optional<UnixSeconds> created;
    /// The format of rows with which the tokens were computed.
    std::optional<std::string> activations{};
};

/// The request for the rest of the answer to `body`, as a stream that can be taken up in its turn.
boost::json::object request_for_rest(boost::json::object body, const PartialAnswer& known);

/// An error that an entry answers with.
struct EntryError {
    Error error;
    /// Any entry would say the same.
    bool is_of_request = false;
};

/// Reads what one entry streams of an answer (docs/api.md, "Taking up an answer"): text goes out at
/// once, its tokens are added to what is known with it. What comes with the answer's end counts
/// only once the stream has ended as it should: if it does not, another entry gives it again.
class AnswerReader {
  public:
    using OnText = std::function<void(std::string_view)>;
    using OnStanding = std::function<void(const billing::Standing&)>;
    /// `known` and what the others refer to MUST outlive it.
    AnswerReader(PartialAnswer& known, const OnText& on_text, OnStanding on_standing = {})
        : known_(known), on_text_(on_text), on_standing_(std::move(on_standing)) {}

    /// The body as it comes; false where no more of it is wanted.
    bool feed(std::string_view chunk);
    /// There is no more. Errors: that of an error event; invalid_json, limit_exceeded for what is
    /// no such stream; connection_closed where the end is missing.
    Result<void> finish();

    /// The answer is shorter than it might be for want of money.
    bool ended_by_payment() const { return ended_by_payment_; }
    bool was_refused() const { return refusal_.has_value(); }
    bool refuses_the_request() const { return refusal_ && refusal_->is_of_request; }
    /// Where the receipt of this part will be; "" as long as it is not known.
    const std::string& receipt_path() const { return receipt_path_; }

  private:
    bool wants_more() const { return !is_complete_ && !refusal_ && !failed_; }
    Result<void> on_data(std::string_view data);
    Result<void> on_event(const boost::json::object& event);
    Result<void> on_tokens(const boost::json::value* token_ids, const std::string& text);

    PartialAnswer& known_;
    const OnText& on_text_;
    OnStanding on_standing_;
    std::string buffer_;
    std::string receipt_path_;
    std::optional<std::string> activations_;
    /// With the reason why the answer ends.
    std::optional<std::string> last_text_;
    bool is_complete_ = false;
    bool ended_by_payment_ = false;
    std::optional<EntryError> refusal_;
    std::optional<Error> failed_;
};

/// Of a body {"error":{"message","type","code"}}.
EntryError read_entry_error(std::string_view body);

}  // namespace teetee::client
