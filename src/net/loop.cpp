// SPDX-License-Identifier: Apache-2.0
#include "net/loop.hpp"

#include <csignal>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace teetee::net {

struct Timer::State {
    explicit State(boost::asio::io_context& context) : timer(context) {}
    boost::asio::steady_timer timer;
    std::function<void()> call;
};

Timer& Timer::operator=(Timer&& other) noexcept {
    cancel();
    state_ = std::move(other.state_);
    return *this;
}

void Timer::cancel() {
    if (state_ == nullptr) return;
    // The expiry may be queued already, so the call is dropped too. It may own this timer: let it
    // die last.
    const auto state = std::move(state_);
    const auto dropped = std::move(state->call);
    state->call = nullptr;
    state->timer.cancel();
}

bool Timer::pending() const {
    return state_ != nullptr && state_->call != nullptr;
}

struct Loop::Impl {
    // One thread runs the context, others only post.
    boost::asio::io_context context{1};
    std::unique_ptr<boost::asio::signal_set> signals;
    std::function<void(int)> signal_handler;

    void await_signal() {
        signals->async_wait([this](const boost::system::error_code& error, int signal) {
            if (error) return;
            await_signal();
            signal_handler(signal);
        });
    }
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::run() {
    const auto work = boost::asio::make_work_guard(impl_->context);
    impl_->context.restart();
    impl_->context.run();
}

void Loop::stop() {
    impl_->context.stop();
}

void Loop::post(std::function<void()> call) {
    boost::asio::post(impl_->context, std::move(call));
}

Timer Loop::call_at(Instant at, std::function<void()> call) {
    auto state = std::make_shared<Timer::State>(impl_->context);
    state->call = std::move(call);
    state->timer.expires_at(std::chrono::steady_clock::time_point(at));
    state->timer.async_wait([state](const boost::system::error_code&) {
        if (const auto due = std::exchange(state->call, nullptr)) due();
    });
    return Timer(std::move(state));
}

Timer Loop::call_after(Duration delay, std::function<void()> call) {
    return call_at(std::chrono::steady_clock::now().time_since_epoch() + delay, std::move(call));
}

void Loop::on_signal(std::function<void(int signal)> handler) {
    impl_->signal_handler = std::move(handler);
    if (impl_->signals != nullptr) return;
    impl_->signals =
        std::make_unique<boost::asio::signal_set>(impl_->context, SIGINT, SIGTERM, SIGHUP);
    impl_->await_signal();
}

boost::asio::io_context& Loop::context() {
    return impl_->context;
}

}  // namespace teetee::net
