// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.hpp"

#include <algorithm>
#include <set>

#include "net/http_connection.hpp"
#include "net/limits.hpp"

namespace teetee::net {
namespace {

/// Connections that are told 503; above them there is not even that.
constexpr size_t refused_connections_max = 64;

}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<Impl> {
    Impl(Loop& owner, HttpServerOptions chosen, Handler answering)
        : loop(owner),
          options(std::move(chosen)),
          handler(std::move(answering)),
          handshakes(options.handshakes_per_source, sources_max) {}

    Loop& loop;
    HttpServerOptions options;
    Handler handler;
    std::unique_ptr<Acceptor> acceptor;
    uint16_t port = 0;
    std::set<std::shared_ptr<HttpConnection>> connections;
    SourceLimiter handshakes;
    SystemClock clock;
    Timer deadline_timer;
    std::function<void()> on_stopped;

    void on_stream(std::unique_ptr<Stream> stream) {
        const size_t count = connections.size();
        if (count >= options.connections_max + refused_connections_max) return;
        if (options.tls && !may_shake_hands(stream->source())) return;
        const HttpConnection::Owner owner = {
            loop, options, handler,
            [weak = weak_from_this()](const std::shared_ptr<HttpConnection>& ended) {
                if (const auto self = weak.lock()) self->on_end(ended);
            },
            [weak = weak_from_this()] {
                if (const auto self = weak.lock()) self->end_longest_sent();
            }};
        const auto connection = std::make_shared<HttpConnection>(owner, std::move(stream));
        connections.insert(connection);
        if (count < options.connections_max || end_longest_waiting()) return connection->start();
        connection->start_refusing();
    }

    /// Whoever says little or nothing must not keep others out: at the limit the one that has been
    /// longest about its request makes room. False where all are being answered.
    bool end_longest_waiting() {
        std::shared_ptr<HttpConnection> longest;
        for (const auto& connection : connections) {
            const auto since = connection->waiting_since();
            if (!since) continue;
            if (longest == nullptr || *since < *longest->waiting_since()) longest = connection;
        }
        if (longest == nullptr) return false;
        longest->end();
        return true;
    }

    size_t unsent_bytes() const {
        size_t out = 0;
        for (const auto& connection : connections) out += connection->unsent_bytes();
        return out;
    }

    /// Clients that do not read must not fill the memory with what they asked for.
    void end_longest_sent() {
        while (unsent_bytes() > options.unsent_bytes_max) {
            std::shared_ptr<HttpConnection> longest;
            for (const auto& connection : connections) {
                if (connection->unsent_bytes() == 0) continue;
                if (longest == nullptr || connection->unsent_since() < longest->unsent_since())
                    longest = connection;
            }
            // Off the list; what the kernel is being handed of it is freed with that.
            longest->end();
        }
    }

    bool may_shake_hands(const std::string& source) {
        const auto half_open =
            std::count_if(connections.begin(), connections.end(), [&](const auto& connection) {
                return connection->shaking_hands() && connection->source() == source;
            });
        return static_cast<size_t>(half_open) < options.half_open_per_source_max &&
               handshakes.admit(source, clock.now());
    }

    void on_end(const std::shared_ptr<HttpConnection>& ended) {
        connections.erase(ended);
        report_if_stopped();
    }

    void report_if_stopped() {
        if (!connections.empty() || on_stopped == nullptr) return;
        deadline_timer.cancel();
        loop.post(std::exchange(on_stopped, nullptr));
    }

    void end_all() {
        // Each removes itself from the set.
        const auto all = connections;
        for (const auto& connection : all) connection->end();
    }
};

Result<std::unique_ptr<HttpServer>> HttpServer::listen(Loop& loop, const Address& address,
                                                       HttpServerOptions options, Handler handler) {
    auto impl = std::make_shared<Impl>(loop, std::move(options), std::move(handler));
    TT_TRY(impl->acceptor,
           Acceptor::listen(loop, address, [raw = impl.get()](std::unique_ptr<Stream> stream) {
               raw->on_stream(std::move(stream));
           }));
    impl->port = impl->acceptor->port();
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::~HttpServer() {
    impl_->on_stopped = nullptr;
    impl_->deadline_timer.cancel();
    impl_->acceptor.reset();
    impl_->end_all();
}

uint16_t HttpServer::port() const {
    return impl_->port;
}
size_t HttpServer::connection_count() const {
    return impl_->connections.size();
}

size_t HttpServer::unsent_bytes() const {
    return impl_->unsent_bytes();
}

void HttpServer::stop(Duration deadline, std::function<void()> done) {
    impl_->acceptor.reset();
    impl_->on_stopped = std::move(done);
    impl_->deadline_timer =
        impl_->loop.call_after(deadline, [raw = impl_.get()] { raw->end_all(); });
    const auto all = impl_->connections;
    for (const auto& connection : all) connection->end_when_idle();
    impl_->report_if_stopped();
}

}  // namespace teetee::net
