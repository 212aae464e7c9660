// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <thread>

#include "attest/evidence.hpp"
#include "base/world.hpp"
#include "net/loop.hpp"

namespace teetee::node {

/// Asks the TEE for quotes on a thread of its own, one after the other: a guest agent takes 100 ms
/// and more for each, in which the loop has tokens to pass on. What the node itself needs to go on
/// goes first. While it exists nobody else asks the provider. Lives on the loop's thread.
class QuoteThread {
  public:
    using Done = std::function<void(Result<Bytes>)>;
    /// Whom a quote is for.
    enum class Use { node, others };
    struct Options {
        /// Quotes for others that may wait; whoever asks for one more is refused.
        size_t waiting_max = 64;
        /// What has waited for longer is refused without asking the TEE: nobody waits for it any
        /// more.
        Duration wait_max = std::chrono::seconds(20);
    };

    /// Both references MUST outlive it.
    QuoteThread(net::Loop& loop, attest::EvidenceProvider& provider, Options options);
    QuoteThread(net::Loop& loop, attest::EvidenceProvider& provider)
        : QuoteThread(loop, provider, Options()) {}
    /// Waits for the quote that is being made. Callbacks that are still to come never come.
    ~QuoteThread();
    QuoteThread(const QuoteThread&) = delete;
    QuoteThread& operator=(const QuoteThread&) = delete;

    /// Calls back once on the loop's thread, never inside this call; for one use in the order of
    /// asking. Errors: overloaded, and the provider's evidence_unavailable.
    void quote(const ByteArray<64>& report_data, Use use, Done done);

  private:
    struct Job {
        ByteArray<64> report_data{};
        Done done;
        Instant asked{};
    };
    using Jobs = std::queue<Job>;

    void work();
    Result<Bytes> make(const Job& job);
    void answer(Done done, Result<Bytes> quote);

    net::Loop& loop_;
    attest::EvidenceProvider& provider_;
    const Options options_;
    const SystemClock clock_{};
    /// Gone with this object, so that answers on their way know.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::mutex mutex_;
    std::condition_variable changed_;
    Jobs own_jobs_;
    Jobs others_jobs_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace teetee::node
