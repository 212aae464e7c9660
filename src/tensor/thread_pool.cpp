// SPDX-License-Identifier: Apache-2.0
#include "tensor/thread_pool.hpp"

#include <algorithm>
#include <system_error>

#include "base/assert.hpp"

namespace teetee::tensor {
namespace {

inline void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/// Spins for some fifty microseconds or more (a pause takes 40 to 140 cycles), which covers the gap
/// between two loops of one token, then parks in the kernel: an idle node must not burn a core.
template <class T>
void wait_while_equal(const std::atomic<T>& value, T old) {
    constexpr int spin_count = 4000;
    for (int i = 0; i < spin_count; ++i) {
        if (value.load(std::memory_order_acquire) != old) return;
        relax();
    }
    value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(size_t thread_count) {
    TT_ASSERT(thread_count >= 1);
    // Where the system gives fewer threads than asked for, fewer do the work: with the same bits.
    try {
        for (size_t i = 1; i < thread_count; ++i) workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
        return;
    }
}

ThreadPool::~ThreadPool() {
    stopping_ = true;
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
    for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(size_t count, size_t grain, Body body) {
    if (workers_.empty() || count <= 1 || count <= grain) {
        if (count > 0) body(0, count);
        return;
    }
    body_ = &body;
    count_ = count;
    grain_ = std::max<size_t>(1, grain);
    next_.store(0, std::memory_order_relaxed);
    pending_.store(static_cast<uint32_t>(workers_.size()), std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
    take_slices();
    for (uint32_t left = pending_.load(std::memory_order_acquire); left != 0;
         left = pending_.load(std::memory_order_acquire)) {
        wait_while_equal(pending_, left);
    }
}

void ThreadPool::take_slices() {
    size_t begin = next_.load(std::memory_order_relaxed);
    while (begin < count_) {
        const size_t left = count_ - begin;
        const size_t share = left / (2 * thread_count()) / grain_ * grain_;
        const size_t end = begin + std::min(left, std::max(share, grain_));
        if (!next_.compare_exchange_weak(begin, end, std::memory_order_relaxed)) continue;
        (*body_)(begin, end);
        begin = next_.load(std::memory_order_relaxed);
    }
}

void ThreadPool::work() {
    uint32_t seen = 0;
    while (true) {
        wait_while_equal(generation_, seen);
        ++seen;
        if (stopping_.load(std::memory_order_acquire)) return;
        take_slices();
        if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_all();
    }
}

}  // namespace teetee::tensor
