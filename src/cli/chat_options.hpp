// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/client_flags.hpp"

namespace teetee::cli {

/// Whether an entry is told what was said before.
enum class ChatContext {
    /// As conversations on a terminal are, where the model has a chat template.
    automatic,
    on,
    off,
};

struct ChatOptions : ClientFlags {
    std::string prompt;
    std::string receipt;
    std::string history;
    std::string system;
    std::vector<std::string> rpc_urls;
    ChatContext context = ChatContext::automatic;
    uint32_t tokens_max = 0;
    double temperature = 0.6;
    double presence_penalty = 0;
    double repetition_penalty = 1;
    std::optional<int64_t> seed;
    bool fresh_quotes = false;
};

}  // namespace teetee::cli
