// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.hpp"

#include <cstdio>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "net/file.hpp"

namespace teetee::cli {
namespace {

constexpr size_t password_bytes_max = 1024;

/// What is typed does not show as long as this lives.
class NoEcho {
  public:
    explicit NoEcho(int terminal) : terminal_(terminal) {
        if (::tcgetattr(terminal_, &before_) != 0) return;
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        is_set_ = ::tcsetattr(terminal_, TCSAFLUSH, &quiet) == 0;
    }
    ~NoEcho() {
        if (is_set_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
    }
    NoEcho(const NoEcho&) = delete;
    NoEcho& operator=(const NoEcho&) = delete;

    bool is_set() const { return is_set_; }

  private:
    int terminal_;
    termios before_{};
    bool is_set_ = false;
};

}  // namespace

bool has_terminal() {
    return ::isatty(STDIN_FILENO) != 0 && ::isatty(STDERR_FILENO) != 0;
}

Result<crypto::SecretBytes> ask_password(const std::string& question) {
    const net::Descriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
    const Error none = fail(ErrorCode::io_failed, "no terminal to ask for a password on");
    if (terminal.number() < 0) return none;
    const NoEcho quiet(terminal.number());
    if (!quiet.is_set()) return none;
    std::fprintf(stderr, "%s: ", question.c_str());
    crypto::SecretBytes password;
    password.reserve(password_bytes_max + 1);
    uint8_t typed = 0;
    while (password.size() <= password_bytes_max && ::read(terminal.number(), &typed, 1) == 1 &&
           typed != '\n') {
        password.push_back(typed);
    }
    std::fputc('\n', stderr);
    if (password.empty() || password.size() > password_bytes_max)
        return fail(ErrorCode::invalid_argument, "need a password of 1 to 1024 bytes");
    return password;
}

bool ask_yes(const std::string& question) {
    std::fprintf(stderr, "%s [y/N] ", question.c_str());
    char answer[16] = {};
    if (std::fgets(answer, sizeof answer, stdin) == nullptr) return false;
    const std::string text(answer);
    return text == "y\n" || text == "yes\n";
}

}  // namespace teetee::cli
