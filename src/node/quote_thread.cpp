// SPDX-License-Identifier: Apache-2.0
#include "node/quote_thread.hpp"

namespace teetee::node {

QuoteThread::QuoteThread(net::Loop& loop, attest::EvidenceProvider& provider)
    : loop_(loop), provider_(provider), thread_([this] { work(); }) {}

QuoteThread::~QuoteThread() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void QuoteThread::quote(const ByteArray<64>& report_data, Done done) {
    {
        const std::lock_guard lock(mutex_);
        if (jobs_.size() < waiting_max) {
            jobs_.push({report_data, std::move(done)});
            changed_.notify_one();
            return;
        }
    }
    answer(std::move(done),
           fail(ErrorCode::overloaded, "quotes: have " + std::to_string(waiting_max) + " waiting"));
}

void QuoteThread::work() {
    while (true) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
        if (stopping_) return;
        Job job = std::move(jobs_.front());
        jobs_.pop();
        lock.unlock();
        answer(std::move(job.done), provider_.quote(job.report_data));
    }
}

void QuoteThread::answer(Done done, Result<Bytes> quote) {
    loop_.post([alive = std::weak_ptr(alive_), done = std::move(done),
                kept = std::make_shared<Result<Bytes>>(std::move(quote))] {
        if (!alive.expired()) done(std::move(*kept));
    });
}

}  // namespace teetee::node
