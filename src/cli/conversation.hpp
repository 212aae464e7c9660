// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/result.hpp"

namespace teetee::cli {

/// What was said so far, and how answers are to be made. It holds secrets: nothing of it goes into
/// an error text.
class Conversation {
  public:
    struct Message {
        /// "user" or "assistant".
        std::string role;
        std::string content;
        bool operator==(const Message&) const = default;
    };

    /// Of a request: the system's message, what was said, and `prompt` behind it. Without
    /// `with_history` what was said is left out.
    boost::json::array messages(const std::string& prompt, bool with_history) const;

    void add_exchange(std::string prompt, std::string answer);
    /// The last prompt and its answer are taken back; the prompt, or nullopt where there is none.
    std::optional<std::string> undo();
    /// The first prompt and its answer are left out from now on; false where there is none.
    bool drop_oldest();
    void clear() { messages_.clear(); }

    /// "" takes it away.
    void set_system(std::string text) { system_ = std::move(text); }
    const std::string& system() const { return system_; }
    const std::vector<Message>& said() const { return messages_; }

    /// `value` as typed; "" or "off" takes it away. Error: invalid_argument naming what may be set
    /// and what the value must be.
    Result<void> set(std::string_view name, std::string_view value);
    const boost::json::object& settings() const { return settings_; }

    /// {"version": 1, "system", "settings", "messages": [{"role", "content"}]}
    std::string encode() const;
    /// Strict: no other members. Errors: config_invalid, limit_exceeded; they quote nothing.
    static Result<Conversation> parse(std::string_view text);

    bool operator==(const Conversation&) const = default;

  private:
    std::string system_;
    std::vector<Message> messages_;
    boost::json::object settings_;
};

/// The names that Conversation::set takes, for people.
std::string setting_names();

}  // namespace teetee::cli
