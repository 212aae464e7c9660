// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <thread>

#include "net/file.hpp"

namespace teetee::cli {

/// As long as it lives Ctrl-C requests a stop instead of ending the program. Made on a thread that
/// is the only one, or whose others have SIGINT blocked.
class InterruptWatch {
  public:
    InterruptWatch();
    ~InterruptWatch();
    InterruptWatch(const InterruptWatch&) = delete;
    InterruptWatch& operator=(const InterruptWatch&) = delete;

    std::stop_token token() const { return stop_.get_token(); }

  private:
    std::stop_source stop_;
    net::Descriptor signals_;
    net::Descriptor end_;
    std::thread thread_;
};

}  // namespace teetee::cli
