// SPDX-License-Identifier: Apache-2.0
#include "node/quote_thread.hpp"

namespace teetee::node {

QuoteThread::QuoteThread(net::Loop& loop, attest::EvidenceProvider& provider, Options options)
    : loop_(loop), provider_(provider), options_(options), thread_([this] { work(); }) {}

QuoteThread::~QuoteThread() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void QuoteThread::quote(const ByteArray<64>& report_data, Use use, Done done) {
    {
        const std::lock_guard lock(mutex_);
        if (use == Use::node || others_jobs_.size() < options_.waiting_max) {
            Jobs& jobs = use == Use::node ? own_jobs_ : others_jobs_;
            jobs.push({report_data, std::move(done), clock_.now()});
            changed_.notify_one();
            return;
        }
    }
    answer(std::move(done),
           fail(ErrorCode::overloaded,
                "quotes: have " + std::to_string(options_.waiting_max) + " waiting"));
}

void QuoteThread::work() {
    while (true) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock,
                      [this] { return stopping_ || !own_jobs_.empty() || !others_jobs_.empty(); });
        if (stopping_) return;
        const bool is_own = !own_jobs_.empty();
        Jobs& jobs = is_own ? own_jobs_ : others_jobs_;
        Job job = std::move(jobs.front());
        jobs.pop();
        lock.unlock();
        Result<Bytes> quote = is_own ? provider_.quote(job.report_data) : make(job);
        answer(std::move(job.done), std::move(quote));
    }
}

Result<Bytes> QuoteThread::make(const Job& job) {
    if (clock_.now() - job.asked > options_.wait_max)
        return fail(ErrorCode::overloaded, "quotes: this one has waited for too long");
    return provider_.quote(job.report_data);
}

void QuoteThread::answer(Done done, Result<Bytes> quote) {
    loop_.post([alive = std::weak_ptr(alive_), done = std::move(done),
                kept = std::make_shared<Result<Bytes>>(std::move(quote))] {
        if (!alive.expired()) done(std::move(*kept));
    });
}

}  // namespace teetee::node
