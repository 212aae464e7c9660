// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "base/world.hpp"

namespace boost::asio {
class io_context;
}

namespace teetee::net {

/// A pending call; destroying or cancelling it means that the call does not happen.
class Timer {
  public:
    Timer() = default;
    ~Timer() { cancel(); }
    Timer(Timer&&) = default;
    Timer& operator=(Timer&& other) noexcept;

    void cancel();
    bool pending() const;

  private:
    friend class Loop;
    struct State;
    explicit Timer(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

/// The process's one I/O thread: everything of this module lives on it, and every callback is
/// called on it. MUST outlive all that was made with it.
class Loop {
  public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Serves until stop; the calling thread becomes the I/O thread. May be run again afterwards.
    void run();
    void stop();

    /// The only call that other threads may make. Runs in the order of posting, never at once.
    void post(std::function<void()> call);

    /// `at` is in SystemClock's time; a time in the past means as soon as possible.
    [[nodiscard]] Timer call_at(Instant at, std::function<void()> call);
    [[nodiscard]] Timer call_after(Duration delay, std::function<void()> call);

    /// Takes SIGINT, SIGTERM and SIGHUP over and calls this with the number of each that comes.
    void on_signal(std::function<void(int signal)> handler);

    /// For the sources of this module that speak Asio.
    boost::asio::io_context& context();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace teetee::net
