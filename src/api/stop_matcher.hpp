// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace teetee::api {

/// How many bytes at the end of `text` may be the beginning of `mark`, and no more than that.
size_t begun_bytes(std::string_view text, std::string_view mark);

/// Finds stop strings in a text that comes in pieces. Text that may yet turn out to be the
/// beginning of a stop string is held back, so that no part of one is ever delivered.
class StopMatcher {
  public:
    explicit StopMatcher(std::vector<std::string> stops) : stops_(std::move(stops)) {}

    struct Output {
        std::string text;      // safe to deliver
        bool stopped = false;  // a stop string was found; what follows is dropped
    };
    Output feed(std::string_view piece);

    /// What was held back when the text ended without a stop string.
    std::string finish();

    /// The one that was found; "" if none was.
    const std::string& found() const { return found_; }

  private:
    std::vector<std::string> stops_;
    std::string held_;
    std::string found_;
};

}  // namespace teetee::api
