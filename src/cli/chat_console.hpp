// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/chat_options.hpp"
#include "client/client.hpp"

namespace teetee::cli {

/// A conversation on the terminal, until somebody ends it. Errors: of opening the terminal, and of
/// the files that flags name.
Result<void> converse(const ChatOptions& options, const ClientSetting& setting,
                      client::Client& client);

}  // namespace teetee::cli
