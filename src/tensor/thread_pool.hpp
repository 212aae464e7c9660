// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace teetee::tensor {

/// A fixed set of threads that run one loop at a time. Which thread computes which index never
/// changes a result: every output is computed by exactly one thread, in a fixed order.
class ThreadPool {
  public:
    /// The caller's thread counts as one; thread_count >= 1.
    explicit ThreadPool(size_t thread_count);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    size_t thread_count() const { return workers_.size() + 1; }

    /// Calls body(begin, end) on slices that cover [0, count) and returns when all are done. One
    /// caller at a time; the body must not call run itself.
    void run(size_t count, const std::function<void(size_t begin, size_t end)>& body);

  private:
    void work(size_t thread_index);
    void run_slice(size_t thread_index);

    std::vector<std::thread> workers_;
    const std::function<void(size_t, size_t)>* body_ = nullptr;
    size_t count_ = 0;
    std::atomic<uint32_t> generation_ = 0;
    std::atomic<uint32_t> pending_ = 0;
    std::atomic<bool> stopping_ = false;
};

}  // namespace teetee::tensor
