// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include <cstdio>
#include <memory>
#include <unistd.h>

namespace teetee::cli {

namespace {

bool is_silent = false;

}  // namespace

void silence_progress() {
    is_silent = true;
}

model::Progress progress_bar(std::string title) {
    if (is_silent || isatty(STDERR_FILENO) == 0) return {};
    return [title = std::move(title), shown = -1](uint64_t done, uint64_t total) mutable {
        constexpr int width = 32;
        const int percent = total == 0 ? 100 : static_cast<int>(done * 100 / total);
        if (percent == shown) return;
        shown = percent;
        const std::string bar(static_cast<size_t>(percent * width / 100), '#');
        std::fprintf(stderr, "\r%s [%-*s] %3d %%", title.c_str(), width, bar.c_str(), percent);
        if (percent == 100) std::fprintf(stderr, "\r\x1b[K");
    };
}

}  // namespace teetee::cli
