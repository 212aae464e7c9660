// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.hpp"

#include <cstdio>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>
#include <utility>

#include "base/bytes.hpp"
#include "cli/command.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

constexpr size_t password_bytes_max = 1024;
/// U+FFFD.
constexpr std::string_view replacement = "\xef\xbf\xbd";

/// Of the character that begins so; 0 where none does.
size_t character_bytes(uint8_t first) {
    if (first >= 0xc2 && first <= 0xdf) return 2;
    if (first >= 0xe0 && first <= 0xef) return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/// Of a character of several bytes. The longer forms of shorter ones are as bad as those.
bool is_visible(std::string_view character) {
    const bool is_control = character[0] == '\xc2' && static_cast<uint8_t>(character[1]) < 0xa0;
    return !is_control && is_utf8(character);
}

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

std::string VisibleText::feed(std::string_view piece) {
    std::string out;
    for (const char byte : piece) take(byte, out);
    return out;
}

std::string VisibleText::finish() {
    missing_ = 0;
    return std::exchange(begun_, {}).empty() ? "" : std::string(replacement);
}

void VisibleText::take(char byte, std::string& out) {
    const auto value = static_cast<uint8_t>(byte);
    const bool is_next = (value & 0xc0) == 0x80;
    if (missing_ > 0 && is_next) {
        begun_ += byte;
        if (--missing_ == 0) out += is_visible(begun_) ? begun_ : replacement;
        if (missing_ == 0) begun_.clear();
        return;
    }
    out += finish();
    if (value < 0x80) {
        const bool is_control = (value < 0x20 && byte != '\n' && byte != '\t') || value == 0x7f;
        out += is_control ? std::string(replacement) : std::string(1, byte);
    } else if (const size_t bytes = character_bytes(value); bytes == 0) {
        out += replacement;
    } else {
        begun_ = std::string(1, byte);
        missing_ = bytes - 1;
    }
}

AnswerPrinter::AnswerPrinter() : is_terminal_(::isatty(STDOUT_FILENO) != 0) {}

void AnswerPrinter::print(std::string_view piece) {
    print_text(is_terminal_ ? visible_.feed(piece) : std::string(piece));
}

void AnswerPrinter::finish() {
    if (const std::string rest = visible_.finish(); !rest.empty()) print_text(rest);
}

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
