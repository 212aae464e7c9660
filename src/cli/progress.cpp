// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include <cstdio>
#include <memory>
#include <unistd.h>

#include <fmt/format.h>

#include "model/kv_budget.hpp"

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

TransferBar::TransferBar(std::string title)
    : title_(std::move(title)), is_drawn_(!is_silent && isatty(STDERR_FILENO) != 0) {}

void TransferBar::draw(uint64_t done, uint64_t total) {
    if (!is_drawn_) return;
    constexpr Duration redraw_time = std::chrono::milliseconds(200);
    constexpr Duration rate_time = std::chrono::seconds(5);
    const Instant now = clock_.now();
    if (is_on_screen_ && now - drawn_at_ < redraw_time && done != total) return;
    drawn_at_ = now;
    samples_.emplace_back(now, done);
    while (samples_.size() > 2 && now - samples_.front().first > rate_time) samples_.pop_front();
    const auto& [since, before] = samples_.front();
    const double seconds = std::chrono::duration<double>(now - since).count();
    const double rate =
        seconds > 0 && done > before ? static_cast<double>(done - before) / seconds : 0;
    std::string text = title_ + ": " + model::show_byte_count(done);
    if (total > 0) {
        constexpr uint64_t width = 24;
        const std::string bar(width * done / total, '#');
        text = fmt::format("{} [{:<{}}] {:3} % of {}", title_, bar, width, 100 * done / total,
                           model::show_byte_count(total));
    }
    if (rate > 0) text += ", " + model::show_byte_count(static_cast<uint64_t>(rate)) + "/s";
    if (rate > 0 && total > done)
        text += ", " +
                show_duration(static_cast<uint64_t>(static_cast<double>(total - done) / rate)) +
                " left";
    std::fprintf(stderr, "\r%s\x1b[K", text.c_str());
    is_on_screen_ = true;
}

void TransferBar::erase() {
    if (is_on_screen_) std::fprintf(stderr, "\r\x1b[K");
    is_on_screen_ = false;
}

std::string show_duration(uint64_t seconds) {
    if (seconds < 60) return fmt::format("{} s", seconds);
    if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
    return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

}  // namespace teetee::cli
