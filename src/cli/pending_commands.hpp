// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain/sender_state.hpp"

namespace teetee::cli {

/// A command that was begun and has not told how it ended; or one that was given a name (--once),
/// and must not happen again.
struct PendingCommand {
    /// What the command is to do, in words that are the same whenever it is to do the same.
    std::string command;
    /// Its `key` is the sender's, so that its transaction counts once.
    chain::SendIntent intent{};
    /// Empty: none.
    std::string name{};
    /// What has become of it, where that is known.
    std::optional<chain::Inclusion> inclusion{};

    bool operator==(const PendingCommand&) const = default;
};

/// The commands of one account that a later run may have to go on with.
///
/// Two equal commands are two commands: each gets a key of its own. But one that was cut off
/// between its transaction and its last word stays here, and the next run of the same command is
/// that one.
class PendingCommands {
  public:
    /// Error: config_invalid, for a file that nobody may guess about: it says what was paid.
    static Result<PendingCommands> parse(std::string_view text);
    std::string encode() const;

    // nullptr: there is none.
    /// Without a name.
    PendingCommand* unfinished(std::string_view command);
    PendingCommand* named(std::string_view name);
    /// By the sender's key.
    PendingCommand* of_key(std::string_view key);
    PendingCommand& add(PendingCommand command);
    void erase(std::string_view key);
    const std::vector<PendingCommand>& all() const { return commands_; }

  private:
    PendingCommand* first(const std::function<bool(const PendingCommand&)>& is_it);

    std::vector<PendingCommand> commands_;
};

/// A sender's key that no other intent has.
std::string fresh_key(Rng& rng);

}  // namespace teetee::cli
