// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/secret.hpp"

namespace teetee::cli {

/// Whether somebody can be asked: stdin and stderr are terminals.
bool has_terminal();

/// A foreign text as a terminal may be shown it: what is no character to be seen, and would move
/// the cursor, set a title or type for the user, becomes U+FFFD, as does what is not UTF-8. That is
/// every control character but line feed and tab. Pieces may be cut anywhere.
class VisibleText {
  public:
    std::string feed(std::string_view piece);
    /// What of a character came at the end.
    std::string finish();

  private:
    void take(char byte, std::string& out);

    /// Of a character that is not whole, and how many bytes it lacks.
    std::string begun_;
    size_t missing_ = 0;
};

/// Prints a model's text on stdout as it comes: made visible on a terminal, as it is elsewhere.
class AnswerPrinter {
  public:
    AnswerPrinter();
    void print(std::string_view piece);
    void finish();

  private:
    bool is_terminal_;
    VisibleText visible_;
};

/// Asks on the terminal without echo. Errors: invalid_argument for none or one that is too long;
/// io_failed without a terminal.
Result<crypto::SecretBytes> ask_password(const std::string& question);

/// Asks on the terminal; only "y" and "yes" are that.
bool ask_yes(const std::string& question);

}  // namespace teetee::cli
