// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <thread>

#include "attest/evidence.hpp"
#include "net/loop.hpp"

namespace teetee::node {

/// Asks the TEE for quotes on a thread of its own, one after the other: a guest agent takes 100 ms
/// and more for each, in which the loop has tokens to pass on. While it exists nobody else asks the
/// provider. Lives on the loop's thread.
class QuoteThread {
  public:
    using Done = std::function<void(Result<Bytes>)>;
    /// Quotes that may wait; whoever asks for one more is refused.
    static constexpr size_t waiting_max = 64;

    /// Both MUST outlive it.
    QuoteThread(net::Loop& loop, attest::EvidenceProvider& provider);
    /// Waits for the quote that is being made. Callbacks that are still to come never come.
    ~QuoteThread();
    QuoteThread(const QuoteThread&) = delete;
    QuoteThread& operator=(const QuoteThread&) = delete;

    /// Calls back once on the loop's thread, never inside this call, in the order of asking.
    /// Errors: overloaded, and the provider's evidence_unavailable.
    void quote(const ByteArray<64>& report_data, Done done);

  private:
    struct Job {
        ByteArray<64> report_data{};
        Done done;
    };

    void work();
    void answer(Done done, Result<Bytes> quote);

    net::Loop& loop_;
    attest::EvidenceProvider& provider_;
    /// Gone with this object, so that answers on their way know.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::mutex mutex_;
    std::condition_variable changed_;
    std::queue<Job> jobs_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace teetee::node
