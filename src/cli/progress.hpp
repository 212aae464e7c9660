// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "base/world.hpp"
#include "model/weights.hpp"

namespace teetee::cli {

/// A progress bar on stderr, drawn only where stderr is a terminal, and not for scripts (--json);
/// erased when done.
void silence_progress();
model::Progress progress_bar(std::string title);

/// The same for bytes that come over a network, with how fast they come and how long the rest
/// takes; drawn and erased as above.
class TransferBar {
  public:
    explicit TransferBar(std::string title);
    ~TransferBar() { erase(); }
    TransferBar(const TransferBar&) = delete;
    TransferBar& operator=(const TransferBar&) = delete;

    /// total 0: not known.
    void draw(uint64_t done, uint64_t total);
    /// Before a line is printed.
    void erase();

  private:
    std::string title_;
    bool is_drawn_ = false;
    bool is_on_screen_ = false;
    SystemClock clock_;
    Instant drawn_at_{};
    /// Of the last seconds, where the rate is taken from.
    std::deque<std::pair<Instant, uint64_t>> samples_;
};

/// "3 min 20 s", "2 h 5 min".
std::string show_duration(uint64_t seconds);

}  // namespace teetee::cli
