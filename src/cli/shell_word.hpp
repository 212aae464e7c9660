// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace teetee::cli {

/// A text as a POSIX shell reads it as one word: as it is where nothing in it means anything to a
/// shell, else in quotes.
std::string shell_word(std::string_view text);
/// In single quotes, whatever it is: no shell reads anything in them but what ends them.
std::string shell_quoted(std::string_view text);

}  // namespace teetee::cli
