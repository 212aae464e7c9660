// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include <boost/json/object.hpp>

#include "client/answer_shape.hpp"

namespace teetee::proxy {

/// What an application asked for, which an entry is asked for in another way: always as a stream,
/// with token ids and usage, so that another entry can go on with it.
struct AskedAnswer {
    client::AnswerShape shape{};
    bool is_stream = false;
    bool wants_token_ids = false;
    bool wants_usage = false;
};

/// nullopt where the body has to be passed on as it is: it is of another path or no JSON, a member
/// that would be replaced has a type that the entry is to refuse by name, or the application goes
/// on with an answer itself.
std::optional<AskedAnswer> read_asked_answer(std::string_view path, const boost::json::value& body);
/// The request that the entry is sent, but for what client::Client puts into it.
boost::json::object entry_request(const AskedAnswer& asked, boost::json::object body);

/// Makes of the events of several entries, each of which gave a part, those of the one answer that
/// the application asked for.
class AnswerEditor {
  public:
    explicit AnswerEditor(const AskedAnswer& asked) : asked_(asked) {}

    /// What comes now goes on behind so many tokens.
    void on_part(size_t known_count);
    /// nullopt where there is nothing in it for the application.
    std::optional<boost::json::object> edit(boost::json::object event);

    /// As the first entry told it.
    std::optional<int64_t> seed() const { return seed_; }

  private:
    bool edit_choice(boost::json::object& choice);
    bool edit_delta(int64_t index, boost::json::object& choice);
    bool edit_usage(boost::json::object& event) const;

    AskedAnswer asked_;
    size_t known_count_ = 0;
    std::optional<boost::json::value> id_;
    std::optional<boost::json::value> created_;
    std::optional<int64_t> seed_;
    /// Of choices that have been begun.
    std::set<int64_t> has_role_;
};

/// Puts the events of a stream together to the answer that would have come without one.
class AnswerCollector {
  public:
    explicit AnswerCollector(client::AnswerShape shape) : shape_(shape) {}

    /// Error: limit_exceeded for too many choices.
    Result<void> add(const boost::json::object& event);
    /// `seed` stands in the answers of /generate.
    boost::json::object whole(std::optional<int64_t> seed) const;

  private:
    void add_choice(boost::json::object& into, const boost::json::object& choice) const;

    client::AnswerShape shape_;
    boost::json::object answer_;
    std::map<int64_t, boost::json::object> choices_;
};

}  // namespace teetee::proxy
