// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"

namespace teetee::cli {

/// Lines of a terminal, edited by libedit: arrows, Ctrl-R, UTF-8, pastes of several lines. Its
/// history is in memory; nothing of it is written anywhere.
class LineEditor {
  public:
    /// On stdin, showing itself on stderr. Error: io_failed.
    static Result<std::unique_ptr<LineEditor>> open();
    ~LineEditor();
    LineEditor(const LineEditor&) = delete;
    LineEditor& operator=(const LineEditor&) = delete;

    enum class End {
        /// The line was entered.
        line,
        /// Ctrl-C: what was typed is given up.
        interrupted,
        /// Ctrl-D on an empty line, or the terminal has gone.
        input,
    };
    struct Typed {
        End end = End::input;
        std::string text{};
    };
    Typed read(const std::string& prompt);

    /// For the arrows and Ctrl-R.
    void remember(const std::string& text);

  private:
    struct Impl;
    explicit LineEditor(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace teetee::cli
