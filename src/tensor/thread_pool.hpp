// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "tensor/function_ref.hpp"

namespace teetee::tensor {

/// A fixed set of threads that run one loop at a time. Which thread computes which index never
/// changes a result: every output is computed by exactly one thread, in a fixed order.
class ThreadPool {
  public:
    using Body = FunctionRef<void(size_t begin, size_t end)>;

    /// The caller's thread counts as one; thread_count >= 1.
    explicit ThreadPool(size_t thread_count);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    size_t thread_count() const { return workers_.size() + 1; }

    /// Calls body(begin, end) on slices that cover [0, count) and returns when all are done. The
    /// threads take slices as they get free, long ones first and `grain` long at the end (guided
    /// self-scheduling), so that one which the system holds up does not hold up the others. One
    /// caller at a time; the body must not call run itself.
    void run(size_t count, Body body) { run(count, 1, body); }
    void run(size_t count, size_t grain, Body body);

  private:
    void work();
    void take_slices();

    std::vector<std::thread> workers_;
    const Body* body_ = nullptr;
    size_t count_ = 0;
    size_t grain_ = 1;
    // Each on a cache line of its own: all threads write next_, while they read the rest.
    alignas(64) std::atomic<size_t> next_ = 0;
    alignas(64) std::atomic<uint32_t> generation_ = 0;
    std::atomic<bool> stopping_ = false;
    alignas(64) std::atomic<uint32_t> pending_ = 0;
};

}  // namespace teetee::tensor
