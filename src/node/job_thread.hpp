// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <queue>
#include <thread>
#include <utility>

namespace teetee::node {

/// Does jobs one after the other on a thread of its own, so that the I/O thread never waits for a
/// matrix product.
template <class Job>
class JobThread {
  public:
    using Work = std::function<void(Job)>;

    /// `work` is called on the thread.
    explicit JobThread(Work work) : work_(std::move(work)), thread_([this] { run(); }) {}
    /// Waits for the running job; jobs that have not begun are dropped.
    ~JobThread() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }
    JobThread(const JobThread&) = delete;
    JobThread& operator=(const JobThread&) = delete;

    void submit(Job job) {
        {
            const std::lock_guard lock(mutex_);
            jobs_.push(std::move(job));
        }
        changed_.notify_one();
    }

  private:
    void run() {
        while (true) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
            if (stopping_) return;
            Job job = std::move(jobs_.front());
            jobs_.pop();
            lock.unlock();
            work_(std::move(job));
        }
    }

    Work work_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::queue<Job> jobs_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace teetee::node
