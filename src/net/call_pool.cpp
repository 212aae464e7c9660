// SPDX-License-Identifier: Apache-2.0
#include "net/call_pool.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace teetee::net {

struct CallPool::Impl {
    mutable std::mutex mutex;
    std::condition_variable has_work;
    /// No more than there are threads without a call.
    std::deque<std::function<void()>> calls;
    size_t busy = 0;
    bool ends = false;
    std::vector<std::thread> threads;

    void work() {
        std::unique_lock lock(mutex);
        while (true) {
            has_work.wait(lock, [this] { return ends || !calls.empty(); });
            if (calls.empty()) return;
            auto call = std::move(calls.front());
            calls.pop_front();
            lock.unlock();
            call();
            // What the call holds ends with it, not with the thread's next one.
            call = nullptr;
            lock.lock();
            --busy;
        }
    }
};

CallPool::CallPool(size_t thread_count) : impl_(std::make_unique<Impl>()) {
    for (size_t i = 0; i < thread_count; ++i)
        impl_->threads.emplace_back([impl = impl_.get()] { impl->work(); });
}

CallPool::~CallPool() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->ends = true;
    }
    impl_->has_work.notify_all();
    for (std::thread& thread : impl_->threads) thread.join();
}

bool CallPool::try_call(std::function<void()> call) {
    {
        const std::lock_guard lock(impl_->mutex);
        if (impl_->busy == impl_->threads.size()) return false;
        ++impl_->busy;
        impl_->calls.push_back(std::move(call));
    }
    impl_->has_work.notify_one();
    return true;
}

size_t CallPool::busy_count() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->busy;
}

}  // namespace teetee::net
