// SPDX-License-Identifier: Apache-2.0
#include "node/engine_thread.hpp"

namespace teetee::node {

EngineThread::EngineThread(pipeline::StageEngine& engine, Done done)
    : engine_(engine), done_(std::move(done)), thread_([this] { work(); }) {}

EngineThread::~EngineThread() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void EngineThread::submit(pipeline::ComputeJob job) {
    {
        const std::lock_guard lock(mutex_);
        jobs_.push(std::move(job));
    }
    changed_.notify_one();
}

void EngineThread::work() {
    while (true) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
        if (stopping_) return;
        pipeline::ComputeJob job = std::move(jobs_.front());
        jobs_.pop();
        lock.unlock();
        done_(engine_.compute(std::move(job)));
    }
}

}  // namespace teetee::node
