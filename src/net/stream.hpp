// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "net/address.hpp"
#include "net/loop.hpp"
#include "net/tls.hpp"

namespace teetee::net {

enum class TlsSide { client, server };

/// A connected stream, over TCP (TCP_NODELAY, keep-alive) or between processes, plain until
/// handshake, TLS from then on. At most one read and one write at a time. Callbacks come later,
/// never inside the call that takes them; the caller keeps the buffers alive until then. Read
/// errors: connection_closed (the peer ended it), tls_failed, io_failed; after close every pending
/// callback gets cancelled.
class Stream {
  public:
    struct Impl;
    explicit Stream(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
    ~Stream() { close(); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    void handshake(const TlsContext& context, TlsSide side, std::function<void(Result<void>)> done);
    /// At least one byte.
    void read_some(std::span<uint8_t> into, std::function<void(Result<size_t>)> done);
    /// All of head and then body, either of which may be empty.
    void write(ByteView head, ByteView body, std::function<void(Result<void>)> done);

    /// Tells the peer that nothing more is sent; reading goes on.
    void end_writing();
    /// Says goodbye as TLS does, without waiting for more than a second, and ends the connection.
    void close();

    /// Of the other end, for logs.
    const std::string& remote() const;
    /// Who is likely to be one and the same, for limits: an IPv4 address, the /64 network of an
    /// IPv6 address (a single host has all of it), the path of a unix socket.
    const std::string& source() const;
    /// As the kernel has smoothed it, of its own acknowledgements: the network alone, not what the
    /// other end does. nullopt where that is not TCP, or has ended.
    std::optional<Duration> round_trip() const;
    /// After the handshake. Error: evidence_missing (no certificate), tls_failed.
    Result<Bytes> peer_certificate_der() const;
    Result<ChannelExporter> channel_exporter() const;
    /// What this end has shown; empty if nothing.
    Bytes own_certificate_der() const;

  private:
    std::shared_ptr<Impl> impl_;
};

/// Resolves, connects, calls back once. Errors: connect_failed, timed_out; both name the address.
void connect(Loop& loop, const Address& address, Duration timeout,
             std::function<void(Result<std::unique_ptr<Stream>>)> done);

/// Connects to a unix socket, calls back once. Errors: not_found (no such socket), connect_failed,
/// address_invalid (a path too long for one); all name the path.
void connect_unix(Loop& loop, const std::string& path,
                  std::function<void(Result<std::unique_ptr<Stream>>)> done);

/// A listening TCP socket; closed by its destructor.
class Acceptor {
  public:
    using OnStream = std::function<void(std::unique_ptr<Stream>)>;
    /// The host is an IP address or "localhost". Errors: port_in_use, address_invalid, io_failed;
    /// all name the address.
    static Result<std::unique_ptr<Acceptor>> listen(Loop& loop, const Address& address,
                                                    OnStream on_stream);
    ~Acceptor();
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    /// The real one, also when port 0 was asked for.
    uint16_t port() const;

  private:
    struct Impl;
    explicit Acceptor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
    std::shared_ptr<Impl> impl_;
};

}  // namespace teetee::net
