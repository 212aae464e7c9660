// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include <boost/json/array.hpp>

#include "cli/chat_options.hpp"
#include "client/client.hpp"

namespace teetee::cli {

struct ChatAnswer {
    std::string text;
    std::vector<client::AnswerPart> parts;
    /// Where it was paid for.
    std::optional<billing::Standing> standing;
    /// Of the whole answer; 0 where the entry does not tell.
    uint64_t prompt_tokens = 0;
    uint64_t completion_tokens = 0;
};

/// The flags of the command line as settings of a request.
boost::json::object settings_of(const ChatOptions& options);

struct ChatQuestion {
    boost::json::array messages;
    boost::json::object settings;
    std::stop_token stop{};
    std::function<void(std::string_view)> on_text;
};

/// stderr says which entry is asked, and when another one goes on. Errors: of client::Client::ask.
Result<ChatAnswer> ask_network(client::Client& client, const ChatOptions& options,
                               const Payment& payment, const ChatQuestion& question);

/// On stderr.
void show_route(const client::VerifiedEntry::Route& route);
void show_payment(const Payment& payment, const ChatAnswer& answer);

/// That of the last part where it was asked for, those of earlier ones beside it, as far as the
/// entries that gave these parts are there.
Result<void> keep_receipts(client::Client& client, const std::vector<client::AnswerPart>& parts,
                           const ChatOptions& options);

}  // namespace teetee::cli
