// SPDX-License-Identifier: Apache-2.0
#include "net/stream.hpp"

#include <algorithm>
#include <array>
#include <netinet/tcp.h>
#include <optional>
#include <sys/un.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace teetee::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using Socket = asio::generic::stream_protocol::socket;
using SystemError = boost::system::error_code;

namespace {

constexpr std::string_view exporter_label = "EXPORTER-teetee-channel-v1";
constexpr Duration goodbye_time_max = std::chrono::seconds(1);
constexpr Duration accept_pause = std::chrono::milliseconds(100);

Error stream_error(const SystemError& error) {
    if (error == asio::error::operation_aborted) return fail(ErrorCode::cancelled, "closed here");
    if (error == asio::error::eof || error == asio::error::connection_reset ||
        error == asio::error::broken_pipe || error == asio::ssl::error::stream_truncated) {
        return fail(ErrorCode::connection_closed, "the peer closed the connection");
    }
    const bool tls = error.category() == asio::error::get_ssl_category() ||
                     error.category() == asio::ssl::error::get_stream_category();
    return fail(tls ? ErrorCode::tls_failed : ErrorCode::io_failed, error.message());
}

/// Where a certificate was checked in the handshake and is no good, why.
Error handshake_error(const SystemError& error, SSL* tls) {
    const long verified = SSL_get_verify_result(tls);
    if (verified == X509_V_OK) return stream_error(error);
    return fail(ErrorCode::tls_failed,
                std::string("the peer's certificate: ") + X509_verify_cert_error_string(verified));
}

Result<void> to_result(const SystemError& error) {
    if (error) return stream_error(error);
    return {};
}

/// The other end, as Stream::remote and Stream::source name it.
struct RemoteEnd {
    std::string remote = "unknown";
    std::string source = "unknown";
};

std::string source_of(const asio::ip::address& address) {
    if (address.is_v4()) return address.to_string();
    if (address.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
    }
    auto network = address.to_v6().to_bytes();
    std::fill(network.begin() + 8, network.end(), static_cast<unsigned char>(0));
    return asio::ip::address_v6(network).to_string() + "/64";
}

RemoteEnd remote_end(const tcp::socket& socket) {
    SystemError error;
    const auto endpoint = socket.remote_endpoint(error);
    if (error) return {};
    return {to_string(Address{endpoint.address().to_string(), endpoint.port()}),
            source_of(endpoint.address())};
}

/// A peer whose machine vanished is noticed within about 15 s, idle or not.
void set_socket_options(tcp::socket& socket) {
    const auto set = [&](int level, int name, int value) {
        // Missing support costs latency or a later notice, not correctness.
        (void)::setsockopt(socket.native_handle(), level, name, &value, sizeof value);
    };
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 4);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 2);
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, 15'000);
}

}  // namespace

struct Stream::Impl : std::enable_shared_from_this<Impl> {
    using Tls = asio::ssl::stream<Socket&>;

    Impl(Loop& owner, Socket connected, RemoteEnd end)
        : loop(owner), socket(std::move(connected)), other_end(std::move(end)) {}

    Loop& loop;
    Socket socket;
    RemoteEnd other_end;
    /// By which the other end was dialled; empty for an address, and where it dialled.
    std::string dialled_name;
    std::optional<Tls> tls;
    Timer goodbye_timer;
    bool secured = false;
    bool writing = false;
    bool ended = false;
    bool said_goodbye = false;
    bool closed = false;

    void drop() {
        goodbye_timer.cancel();
        SystemError ignored;
        socket.close(ignored);
    }

    void say_goodbye() {
        ended = true;
        // This state lives until the peer has answered or drop has cancelled the waiting.
        tls->async_shutdown([self = shared_from_this()](const SystemError&) {
            self->said_goodbye = true;
            if (self->closed) self->drop();
        });
    }

    void close() {
        if (closed) return;
        closed = true;
        // A half-written record cannot be followed by a goodbye, nor a half-made handshake.
        if (!secured || writing || said_goodbye) return drop();
        SystemError ignored;
        socket.cancel(ignored);
        goodbye_timer = loop.call_after(goodbye_time_max, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->drop();
        });
        if (!ended) say_goodbye();
    }
};

void Stream::handshake(const TlsContext& context, TlsSide side,
                       std::function<void(Result<void>)> done) {
    impl_->tls.emplace(impl_->socket, context.context());
    // Gateways that pass TLS through go by the name in a client's first message (RFC 6066).
    const std::string& name =
        context.server_name().empty() ? impl_->dialled_name : context.server_name();
    if (!name.empty()) SSL_set_tlsext_host_name(impl_->tls->native_handle(), name.c_str());
    impl_->tls->async_handshake(
        side == TlsSide::client ? asio::ssl::stream_base::client : asio::ssl::stream_base::server,
        [self = impl_, done = std::move(done)](const SystemError& error) {
            if (self->closed) return done(fail(ErrorCode::cancelled, "closed here"));
            self->secured = !error;
            if (error) return done(handshake_error(error, self->tls->native_handle()));
            done({});
        });
}

void Stream::read_some(std::span<uint8_t> into, std::function<void(Result<size_t>)> done) {
    auto handler = [self = impl_, done = std::move(done)](const SystemError& error, size_t bytes) {
        if (self->closed) return done(fail(ErrorCode::cancelled, "closed here"));
        if (error) return done(stream_error(error));
        done(bytes);
    };
    const auto buffer = asio::buffer(into.data(), into.size());
    if (impl_->tls) {
        impl_->tls->async_read_some(buffer, std::move(handler));
    } else {
        impl_->socket.async_read_some(buffer, std::move(handler));
    }
}

void Stream::write(ByteView head, ByteView body, std::function<void(Result<void>)> done) {
    impl_->writing = true;
    auto handler = [self = impl_, done = std::move(done)](const SystemError& error, size_t) {
        self->writing = false;
        if (self->closed) return done(fail(ErrorCode::cancelled, "closed here"));
        done(to_result(error));
    };
    const std::array<asio::const_buffer, 2> buffers = {asio::buffer(head.data(), head.size()),
                                                       asio::buffer(body.data(), body.size())};
    if (impl_->tls) {
        asio::async_write(*impl_->tls, buffers, std::move(handler));
    } else {
        asio::async_write(impl_->socket, buffers, std::move(handler));
    }
}

void Stream::end_writing() {
    if (impl_->closed || impl_->ended) return;
    if (impl_->secured) return impl_->say_goodbye();
    impl_->ended = true;
    SystemError ignored;
    impl_->socket.shutdown(Socket::shutdown_send, ignored);
}

void Stream::close() {
    impl_->close();
}

const std::string& Stream::remote() const {
    return impl_->other_end.remote;
}

const std::string& Stream::source() const {
    return impl_->other_end.source;
}

std::optional<Duration> Stream::round_trip() const {
    if (!impl_->socket.is_open()) return std::nullopt;
    tcp_info info{};
    socklen_t bytes = sizeof info;
    if (::getsockopt(impl_->socket.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0)
        return std::nullopt;
    return std::chrono::microseconds(info.tcpi_rtt);
}

Result<Bytes> Stream::peer_certificate_der() const {
    TT_ASSERT(impl_->secured);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        SSL_get1_peer_certificate(impl_->tls->native_handle()), &X509_free);
    if (certificate == nullptr) {
        return fail(ErrorCode::evidence_missing, "the peer has no certificate");
    }
    Bytes der = certificate_der(certificate.get());
    if (der.empty()) return fail(ErrorCode::tls_failed, "the peer's certificate has no DER form");
    return der;
}

Bytes Stream::own_certificate_der() const {
    TT_ASSERT(impl_->secured);
    return certificate_der(SSL_get_certificate(impl_->tls->native_handle()));
}

Result<ChannelExporter> Stream::channel_exporter() const {
    TT_ASSERT(impl_->secured);
    ChannelExporter out{};
    if (SSL_export_keying_material(impl_->tls->native_handle(), out.data(), out.size(),
                                   exporter_label.data(), exporter_label.size(), nullptr, 0,
                                   0) != 1) {
        return fail(ErrorCode::tls_failed, "the session exports no key material");
    }
    return out;
}

namespace {

std::unique_ptr<Stream> make_stream(Loop& loop, tcp::socket socket, std::string dialled_name = {}) {
    set_socket_options(socket);
    RemoteEnd other_end = remote_end(socket);
    auto impl = std::make_shared<Stream::Impl>(loop, std::move(socket), std::move(other_end));
    impl->dialled_name = std::move(dialled_name);
    return std::make_unique<Stream>(std::move(impl));
}

/// One try to reach an address, alive through its own handlers.
struct Connecting : std::enable_shared_from_this<Connecting> {
    Connecting(Loop& owner, const Address& wanted) : loop(owner), address(wanted) {}

    Loop& loop;
    Address address;
    bool is_literal = false;
    tcp::resolver resolver{loop.context()};
    tcp::socket socket{loop.context()};
    Timer timer;
    std::function<void(Result<std::unique_ptr<Stream>>)> done;

    void start(Duration timeout) {
        timer = loop.call_after(timeout, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->give_up();
        });
        SystemError error;
        const auto literal = asio::ip::make_address(address.host, error);
        if (!error) {
            is_literal = true;
            const std::array<tcp::endpoint, 1> endpoints = {tcp::endpoint(literal, address.port)};
            return try_each(endpoints);
        }
        resolver.async_resolve(
            address.host, std::to_string(address.port),
            [self = shared_from_this()](const SystemError& failed, const auto& endpoints) {
                if (failed) return self->refuse(failed);
                self->try_each(endpoints);
            });
    }

    template <class Endpoints>
    void try_each(const Endpoints& endpoints) {
        if (done == nullptr) return;
        asio::async_connect(
            socket, endpoints, [self = shared_from_this()](const SystemError& failed, const auto&) {
                if (failed) return self->refuse(failed);
                self->finish(make_stream(self->loop, std::move(self->socket),
                                         self->is_literal ? std::string() : self->address.host));
            });
    }

    void give_up() {
        finish(fail(ErrorCode::timed_out, to_string(address) + ": no connection in time"));
    }

    void refuse(const SystemError& error) {
        finish(fail(ErrorCode::connect_failed, to_string(address) + ": " + error.message()));
    }

    void finish(Result<std::unique_ptr<Stream>> result) {
        const auto call = std::exchange(done, nullptr);
        if (call == nullptr) return;
        timer.cancel();
        resolver.cancel();
        SystemError ignored;
        if (!result) socket.close(ignored);
        call(std::move(result));
    }
};

}  // namespace

void connect(Loop& loop, const Address& address, Duration timeout,
             std::function<void(Result<std::unique_ptr<Stream>>)> done) {
    const auto connecting = std::make_shared<Connecting>(loop, address);
    connecting->done = std::move(done);
    connecting->start(timeout);
}

void connect_unix(Loop& loop, const std::string& path,
                  std::function<void(Result<std::unique_ptr<Stream>>)> done) {
    using asio::local::stream_protocol;
    // A connection within the machine is made or refused at once.
    const auto connected = [&]() -> Result<std::unique_ptr<Stream>> {
        if (path.size() >= sizeof(sockaddr_un::sun_path)) {
            return fail(ErrorCode::address_invalid,
                        path + ": have " + std::to_string(path.size()) + " bytes, need below " +
                            std::to_string(sizeof(sockaddr_un::sun_path)));
        }
        stream_protocol::socket socket(loop.context());
        SystemError error;
        socket.open(stream_protocol(), error);
        // A server that takes no more connections would block the loop.
        if (!error) socket.native_non_blocking(true, error);
        if (!error) socket.connect(stream_protocol::endpoint(path), error);
        if (error) {
            const bool missing = error == boost::system::errc::no_such_file_or_directory;
            return fail(missing ? ErrorCode::not_found : ErrorCode::connect_failed,
                        path + ": " + error.message());
        }
        return std::make_unique<Stream>(
            std::make_shared<Stream::Impl>(loop, std::move(socket), RemoteEnd{path, path}));
    };
    loop.post([done = std::move(done), result = std::make_shared<Result<std::unique_ptr<Stream>>>(
                                           connected())] { done(std::move(*result)); });
}

struct Acceptor::Impl : std::enable_shared_from_this<Impl> {
    explicit Impl(Loop& owner) : loop(owner), socket(owner.context()) {}

    Loop& loop;
    tcp::acceptor socket;
    OnStream on_stream;
    Timer pause;

    void accept() {
        socket.async_accept(
            [self = shared_from_this()](const SystemError& error, tcp::socket accepted) {
                if (!self->socket.is_open()) return;
                if (error) {
                    // Out of descriptors or memory: the next try would fail as fast as this one.
                    self->pause = self->loop.call_after(accept_pause, [self] { self->accept(); });
                    return;
                }
                self->on_stream(make_stream(self->loop, std::move(accepted)));
                if (self->socket.is_open()) self->accept();
            });
    }
};

Result<std::unique_ptr<Acceptor>> Acceptor::listen(Loop& loop, const Address& address,
                                                   OnStream on_stream) {
    SystemError error;
    const auto host =
        asio::ip::make_address(address.host == "localhost" ? "127.0.0.1" : address.host, error);
    if (error) {
        return fail(ErrorCode::address_invalid,
                    "cannot listen on " + to_string(address) + ": the host is no IP address");
    }
    auto impl = std::make_shared<Impl>(loop);
    const tcp::endpoint endpoint(host, address.port);
    impl->socket.open(endpoint.protocol(), error);
    if (!error) impl->socket.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) impl->socket.bind(endpoint, error);
    if (!error) impl->socket.listen(tcp::acceptor::max_listen_connections, error);
    if (error == asio::error::address_in_use) {
        return fail(ErrorCode::port_in_use, to_string(address) + " is in use by another process");
    }
    if (error) {
        return fail(ErrorCode::io_failed,
                    "cannot listen on " + to_string(address) + ": " + error.message());
    }
    impl->on_stream = std::move(on_stream);
    impl->accept();
    return std::unique_ptr<Acceptor>(new Acceptor(std::move(impl)));
}

Acceptor::~Acceptor() {
    impl_->pause.cancel();
    SystemError ignored;
    impl_->socket.close(ignored);
}

uint16_t Acceptor::port() const {
    SystemError error;
    const auto endpoint = impl_->socket.local_endpoint(error);
    return error ? uint16_t{0} : endpoint.port();
}

}  // namespace teetee::net
