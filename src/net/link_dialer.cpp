// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "net/link_handshake.hpp"

namespace teetee::net {

struct LinkDialer::Impl : std::enable_shared_from_this<Impl> {
    Impl(const LinkEnvironment& shared, const Address& wanted, Callbacks called)
        : environment(shared),
          address(wanted),
          callbacks(std::move(called)),
          backoff(shared.options.backoff_min) {}

    LinkEnvironment environment;
    Address address;
    Callbacks callbacks;
    Duration backoff;
    Instant up_since{};
    /// The reason reported last; empty while the link is up.
    std::string down_reason;
    std::shared_ptr<LinkHandshake> handshake;
    Timer retry_timer;
    SystemClock clock;
    bool stopped = false;
    bool is_up = false;

    void dial() {
        connect(environment.loop, address, environment.options.handshake_time_max,
                [weak = weak_from_this()](Result<std::unique_ptr<Stream>> stream) {
                    const auto self = weak.lock();
                    if (self == nullptr || self->stopped) return;
                    if (!stream) return self->on_failed(stream.error());
                    self->shake_hands(std::move(*stream));
                });
    }

    void shake_hands(std::unique_ptr<Stream> stream) {
        handshake =
            std::make_shared<LinkHandshake>(environment, LinkRole::dialer, std::move(stream));
        handshake->start([weak = weak_from_this()](Result<std::shared_ptr<Link>> result) {
            if (const auto self = weak.lock()) self->on_handshake(std::move(result));
        });
    }

    void on_handshake(Result<std::shared_ptr<Link>> result) {
        const auto ended = std::exchange(handshake, nullptr);
        if (!result) return on_failed(result.error());
        const std::shared_ptr<Link> link = *result;
        up_since = clock.now();
        is_up = true;
        down_reason.clear();
        environment.log.info("link to " + to_string(address) + " up: " + link->peer().description);
        link->on_ended_ = [weak = weak_from_this()](const Error& error) {
            if (const auto self = weak.lock()) self->on_link_ended(error);
        };
        callbacks.on_link(link);
        ended->deliver_to(*link);
    }

    void on_link_ended(const Error& error) {
        is_up = false;
        // A peer that refuses our proof lets the link come up here and ends it at once: that is no
        // success to start over from.
        const bool lasted = clock.now() - up_since >= environment.options.backoff_max;
        if (lasted) backoff = environment.options.backoff_min;
        on_down(error);
    }

    void on_failed(const Error& error) {
        if (environment.meter != nullptr) ++environment.meter->dials_failed[error.code];
        on_down(error);
    }

    void on_down(const Error& error) {
        if (stopped) return;
        retry_timer = environment.loop.call_after(backoff, [this] { dial(); });
        backoff = std::min(2 * backoff, environment.options.backoff_max);
        if (error.message() == down_reason) return;
        down_reason = error.message();
        environment.log.warn("link to " + to_string(address) + " down: " + down_reason);
        if (callbacks.on_down) callbacks.on_down(error);
    }
};

LinkDialer::LinkDialer(const LinkEnvironment& environment, const Address& address,
                       Callbacks callbacks)
    : impl_(std::make_shared<Impl>(environment, address, std::move(callbacks))) {
    impl_->dial();
}

LinkDialer::~LinkDialer() {
    impl_->stopped = true;
    impl_->retry_timer.cancel();
    if (impl_->handshake != nullptr) impl_->handshake->cancel();
}

bool LinkDialer::is_up() const {
    return impl_->is_up;
}

}  // namespace teetee::net
