// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "net/link_handshake.hpp"

namespace teetee::net {
namespace {

constexpr Duration refusal_window = std::chrono::seconds(1);
constexpr size_t refusals_logged_max = 10;

}  // namespace

struct LinkListener::Impl : std::enable_shared_from_this<Impl> {
    Impl(const LinkEnvironment& shared, OnLink callback)
        : environment(shared),
          on_link(std::move(callback)),
          rates(shared.options.handshakes_per_source, sources_max) {}

    LinkEnvironment environment;
    OnLink on_link;
    std::unique_ptr<Acceptor> acceptor;
    /// Under way, and where each comes from.
    std::map<std::shared_ptr<LinkHandshake>, std::string> half_open;
    SourceLimiter rates;
    SystemClock clock;
    /// Refusals since the window began: anyone can cause them, so they must not fill the disk.
    size_t refusal_count = 0;
    Timer refusal_timer;

    void on_stream(std::unique_ptr<Stream> stream) {
        const std::string remote = stream->remote();
        const std::string source = stream->source();
        if (auto admitted = admit(source); !admitted) return refuse(remote, admitted.error());
        const auto handshake =
            std::make_shared<LinkHandshake>(environment, LinkRole::listener, std::move(stream));
        half_open[handshake] = source;
        handshake->start([weak = weak_from_this(), handshake, remote](auto result) {
            if (const auto self = weak.lock()) {
                self->on_handshake(handshake, remote, std::move(result));
            }
        });
    }

    /// Before anything is computed for the connection.
    Result<void> admit(const std::string& source) {
        const LinkOptions& options = environment.options;
        if (half_open.size() >= options.half_open_max) {
            return fail(
                ErrorCode::overloaded,
                "handshakes: have " + std::to_string(half_open.size()) + " at a time, need fewer");
        }
        const auto of_source = std::count_if(half_open.begin(), half_open.end(),
                                             [&](auto& one) { return one.second == source; });
        if (static_cast<size_t>(of_source) >= options.half_open_per_source_max) {
            return fail(ErrorCode::overloaded, "handshakes: have " + std::to_string(of_source) +
                                                   " at a time from " + source + ", need fewer");
        }
        if (!rates.admit(source, clock.now())) {
            return fail(ErrorCode::overloaded,
                        "handshakes: too many in a short time from " + source);
        }
        return {};
    }

    void on_handshake(const std::shared_ptr<LinkHandshake>& handshake, const std::string& remote,
                      Result<std::shared_ptr<Link>> result) {
        half_open.erase(handshake);
        if (!result) return refuse(remote, result.error());
        environment.log.info("link from " + remote + " up: " + (*result)->peer().description);
        (*result)->on_ended_ = [weak = weak_from_this(), remote](const Error& error) {
            const auto self = weak.lock();
            if (self == nullptr) return;
            self->environment.log.warn("link from " + remote + " down: " + error.message());
        };
        on_link(*result);
        handshake->deliver_to(**result);
    }

    void refuse(const std::string& remote, const Error& error) {
        if (refusal_count == 0) {
            refusal_timer = environment.loop.call_after(refusal_window, [this] { end_window(); });
        }
        if (++refusal_count > refusals_logged_max) return;
        environment.log.warn("link from " + remote + " refused: " + error.message());
    }

    void end_window() {
        if (refusal_count > refusals_logged_max) {
            environment.log.warn(std::to_string(refusal_count - refusals_logged_max) +
                                 " more links refused in the last second");
        }
        refusal_count = 0;
    }
};

Result<std::unique_ptr<LinkListener>> LinkListener::listen(const LinkEnvironment& environment,
                                                           const Address& address, OnLink on_link) {
    auto impl = std::make_shared<Impl>(environment, std::move(on_link));
    TT_TRY(impl->acceptor, Acceptor::listen(environment.loop, address,
                                            [raw = impl.get()](std::unique_ptr<Stream> stream) {
                                                raw->on_stream(std::move(stream));
                                            }));
    return std::unique_ptr<LinkListener>(new LinkListener(std::move(impl)));
}

LinkListener::~LinkListener() {
    impl_->acceptor.reset();
    for (const auto& [handshake, source] : impl_->half_open) handshake->cancel();
}

uint16_t LinkListener::port() const {
    return impl_->acceptor->port();
}

}  // namespace teetee::net
