// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <list>
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
    struct HalfOpen {
        std::shared_ptr<LinkHandshake> handshake;
        std::string source;
    };
    /// Under way, the oldest first.
    std::list<HalfOpen> half_open;
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
        half_open.push_back({handshake, source});
        handshake->start([weak = weak_from_this(), handshake, remote](auto result) {
            if (const auto self = weak.lock()) {
                self->on_handshake(handshake, remote, std::move(result));
            }
        });
    }

    /// Before anything is computed for the connection.
    Result<void> admit(const std::string& source) {
        const LinkOptions& options = environment.options;
        const size_t of_source = half_open_counts()[source];
        if (of_source >= options.half_open_per_source_max) {
            return fail(ErrorCode::overloaded, "handshakes: have " + std::to_string(of_source) +
                                                   " at a time from " + source + ", need fewer");
        }
        if (!rates.admit(source, clock.now())) {
            return fail(ErrorCode::overloaded,
                        "handshakes: too many in a short time from " + source);
        }
        if (half_open.size() >= options.half_open_max) return displace_for(source);
        return {};
    }

    std::map<std::string, size_t> half_open_counts() const {
        std::map<std::string, size_t> counts;
        for (const HalfOpen& one : half_open) ++counts[one.source];
        return counts;
    }

    /// A source that takes many places gives its oldest one to a source that has fewer, so that a
    /// few that only hold on to them keep nobody else out.
    Result<void> displace_for(const std::string& source) {
        auto counts = half_open_counts();
        const auto most = std::max_element(counts.begin(), counts.end(),
                                           [](auto& a, auto& b) { return a.second < b.second; });
        if (most->second <= counts[source] + 1) {
            return fail(ErrorCode::overloaded, "handshakes: have " +
                                                   std::to_string(half_open.size()) +
                                                   " at a time from everywhere, need fewer");
        }
        const auto oldest = std::find_if(half_open.begin(), half_open.end(),
                                         [&](auto& one) { return one.source == most->first; });
        oldest->handshake->cancel();
        half_open.erase(oldest);
        refuse(most->first, fail(ErrorCode::overloaded,
                                 "handshakes: its oldest one gave way to another source"));
        return {};
    }

    void on_handshake(const std::shared_ptr<LinkHandshake>& handshake, const std::string& remote,
                      Result<std::shared_ptr<Link>> result) {
        std::erase_if(half_open, [&](auto& one) { return one.handshake == handshake; });
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
        if (environment.meter != nullptr) ++environment.meter->refused[error.code];
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
