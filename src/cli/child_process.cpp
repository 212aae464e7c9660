// SPDX-License-Identifier: Apache-2.0
#include "cli/child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/file.hpp"

extern char** environ;

namespace teetee::cli {
namespace {

// Flags that a child is not given would be taken from these.
constexpr std::array<std::string_view, 14> hidden_variables = {
    "TEETEE_RPC",           "TEETEE_DEPLOYMENT",    "TEETEE_CONTRACT",
    "TEETEE_CHAIN_ID",      "TEETEE_POOL",          "TEETEE_KEY",
    "TEETEE_KEYSTORE",      "TEETEE_PASSWORD_FILE", "TEETEE_KEYSTORE_PASSWORD",
    "TEETEE_REGISTRATION",  "TEETEE_STATE",         "TEETEE_HOST",
    "TEETEE_SELF_REGISTER", "TEETEE_METRICS"};

// And so would those of the commands that 'up' runs, which are named after their command.
constexpr std::array<std::string_view, 6> hidden_prefixes = {"TEETEE_NODE_",     "TEETEE_POOL_",
                                                             "TEETEE_REGISTER_", "TEETEE_RENEW_",
                                                             "TEETEE_CREDITS_",  "TEETEE_VOUCHER_"};

bool is_hidden(std::string_view name) {
    return std::ranges::find(hidden_variables, name) != hidden_variables.end() ||
           std::ranges::any_of(hidden_prefixes,
                               [&](std::string_view prefix) { return name.starts_with(prefix); });
}

std::vector<std::string> environment_of(const ChildOptions& options) {
    std::vector<std::string> out;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view text = *variable;
        const std::string_view name = text.substr(0, text.find('='));
        const bool is_set = std::ranges::any_of(
            options.variables, [&](const auto& other) { return other.first == name; });
        if (!is_set && !is_hidden(name) && name != "TEETEE_CONFIG") out.emplace_back(text);
    }
    // Nor does a configuration file speak to them.
    out.emplace_back("TEETEE_CONFIG=none");
    for (const auto& [name, value] : options.variables) out.push_back(name + "=" + value);
    return out;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

bool print_into(const std::string& path, int number) {
    if (path.empty()) return true;
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    return file >= 0 && dup2(file, number) >= 0;
}

}  // namespace

Result<void> ChildProcess::start() {
    std::vector<std::string> environment = environment_of(options_);
    const std::vector<char*> argv = pointers_to(options_.arguments);
    const std::vector<char*> envp = pointers_to(environment);
    std::array<int, 2> pipe{};
    if (pipe2(pipe.data(), O_CLOEXEC) != 0)
        return fail(ErrorCode::io_failed, std::string("pipe: ") + std::strerror(errno));
    const net::Descriptor reading(pipe[0]);
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        // The parent may have ended before that.
        if (getppid() == parent && print_into(options_.output_path, STDOUT_FILENO) &&
            print_into(options_.error_path, STDERR_FILENO)) {
            execvpe(argv[0], argv.data(), envp.data());
        }
        const int reason = errno;
        [[maybe_unused]] const auto written = write(pipe[1], &reason, sizeof reason);
        _exit(127);
    }
    int failed = pid_ < 0 ? errno : 0;
    close(pipe[1]);
    // Ends without a byte when the program has taken over.
    ssize_t count = 0;
    if (pid_ > 0) {
        do count = read(pipe[0], &failed, sizeof failed);
        while (count < 0 && errno == EINTR);
        if (count <= 0) return {};
        waitpid(pid_, nullptr, 0);
    }
    pid_ = 0;
    return fail(ErrorCode::io_failed, options_.arguments[0] + ": " + std::strerror(failed));
}

bool ChildProcess::reap(int& status) {
    if (pid_ == 0 || waitpid(pid_, &status, WNOHANG) != pid_) return false;
    pid_ = 0;
    return true;
}

void ChildProcess::stop() const {
    if (pid_ != 0) kill(-pid_, SIGTERM);
}

void ChildProcess::end() {
    if (pid_ == 0) return;
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
}

std::string exit_text(int status) {
    if (WIFEXITED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
    return "signal " + std::to_string(WTERMSIG(status));
}

}  // namespace teetee::cli
