// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace teetee::cli {

/// What a process is started with.
struct ChildOptions {
    /// The program first: a path, or a name that is looked up in PATH.
    std::vector<std::string> arguments;
    /// Names and values besides this process's own variables, in the place of those of that name.
    std::vector<std::pair<std::string, std::string>> variables{};
    /// Files that take what it prints, emptied first, may be one; empty: where this process prints.
    std::string output_path{};
    std::string error_path{};
};

/// A process that ends with this one, however that ends, and that only this one ends: Ctrl-C
/// reaches the whole foreground group, so it is in a group of its own. Variables by which a user
/// tells commands of a chain and a wallet (hidden_variables) do not reach it.
class ChildProcess {
  public:
    explicit ChildProcess(ChildOptions options) : options_(std::move(options)) {}
    ~ChildProcess() { end(); }
    ChildProcess(ChildProcess&& other) noexcept
        : options_(std::move(other.options_)), pid_(std::exchange(other.pid_, 0)) {}
    ChildProcess& operator=(ChildProcess&&) = delete;

    /// May be called again once it has ended. Error: io_failed with the program and the reason.
    Result<void> start();

    bool is_running() const { return pid_ != 0; }
    /// True once, when the process has ended; `status` is waitpid's.
    bool reap(int& status);
    /// Asks it, and what it has started, to end.
    void stop() const;
    /// Ends them now.
    void end();

  private:
    ChildOptions options_;
    pid_t pid_ = 0;
};

/// "exit code 1", "signal 9".
std::string exit_text(int status);

}  // namespace teetee::cli
