// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/world.hpp"

namespace teetee::cli {

/// Keeps lines that somebody else can cause from filling the disk: of one kind, which is all lines
/// that differ in numbers only, a few get through in a time, and the rest is counted. Not
/// threadsafe.
class LineLimiter {
  public:
    static constexpr uint64_t lines_max = 20;
    static constexpr Duration window = std::chrono::seconds(10);
    /// Kinds that are told apart at a time; what is more shares one.
    static constexpr size_t kinds_max = 256;

    struct Withheld {
        /// Of the first one.
        std::string message{};
        uint64_t count = 0;
    };

    bool admit(Instant now, std::string_view message);
    /// Of windows that are over, the lines that were not admitted. To be asked before admit.
    std::vector<Withheld> take_withheld(Instant now);

  private:
    struct Kind {
        Instant began{};
        uint64_t count = 0;
        std::string message{};
    };
    std::map<std::string, Kind> kinds_;
};

}  // namespace teetee::cli
