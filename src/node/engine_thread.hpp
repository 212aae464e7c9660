// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <queue>
#include <thread>

#include "pipeline/engine.hpp"

namespace teetee::node {

/// Runs compute jobs one after the other on a thread of its own, so that the I/O thread never waits
/// for a matrix product.
class EngineThread {
  public:
    using Done = std::function<void(pipeline::ComputeResult)>;

    /// `done` is called on the engine's thread. `engine` MUST outlive this object.
    EngineThread(pipeline::StageEngine& engine, Done done);
    /// Waits for the running job; jobs that have not begun are dropped.
    ~EngineThread();

    void submit(pipeline::ComputeJob job);

  private:
    void work();

    pipeline::StageEngine& engine_;
    Done done_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::queue<pipeline::ComputeJob> jobs_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace teetee::node
