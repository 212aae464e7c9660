// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace teetee::cli {

enum class ChatVerb {
    say,
    help,
    start_anew,
    system,
    retry,
    undo,
    set,
    save,
    load,
    proof,
    cost,
    entry,
    quit,
};

struct ChatCommand {
    ChatVerb verb = ChatVerb::say;
    /// What is said, or what stands behind the command's name.
    std::string argument{};
    bool operator==(const ChatCommand&) const = default;
};

/// What somebody has typed: a command where it begins with '/', text that begins with one where it
/// begins with two. Error: invalid_argument naming the commands there are, or what is missing.
Result<ChatCommand> parse_chat_command(std::string_view text);

/// For /help.
std::string chat_help();

/// Lines as they are typed, up to a whole input: one that ends in '\' goes on in the next, and
/// between lines that begin and end with """ everything is one input.
class ChatInput {
  public:
    /// Whether the input is whole with this line.
    bool add(std::string_view line);
    bool is_begun() const { return is_begun_; }
    /// And begins anew.
    std::string take();

  private:
    std::string text_;
    bool is_begun_ = false;
    bool is_quoted_ = false;
};

}  // namespace teetee::cli
