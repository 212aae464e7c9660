// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

namespace teetee::net {

/// Threads for calls that wait, such as http_fetch, beside a loop that must not. There is no queue:
/// who comes when all of them work is told so at once, and can tell its client.
class CallPool {
  public:
    explicit CallPool(size_t thread_count);
    /// Waits for the calls that run.
    ~CallPool();
    CallPool(const CallPool&) = delete;
    CallPool& operator=(const CallPool&) = delete;

    /// Has one of the threads make the call; false where all of them have one. From any thread.
    bool try_call(std::function<void()> call);
    size_t busy_count() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace teetee::net
