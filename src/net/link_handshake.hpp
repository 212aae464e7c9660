// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/link.hpp"

namespace teetee::net {

/// Turns a fresh connection into a link. MUST hold, on both ends:
/// - nothing but TLS is sent before the peer's certificate has been verified;
/// - no frame is delivered before the peer's proof has been checked;
/// - whatever fails, and whatever lasts too long, closes the connection.
/// After TLS each end sends one frame, the hello: u16 version, then the proof with its u32 length.
class LinkHandshake : public std::enable_shared_from_this<LinkHandshake> {
  public:
    using Done = std::function<void(Result<std::shared_ptr<Link>>)>;

    LinkHandshake(const LinkEnvironment& environment, LinkRole role,
                  std::unique_ptr<Stream> stream);

    /// Calls back once, unless cancelled before.
    void start(Done done);
    void cancel();
    /// After success: the owner has the link and its callbacks are set.
    void deliver_to(Link& link) const { link.start(unread_); }

  private:
    void on_tls();
    Result<void> authenticate();
    void send_hello();
    void read();
    Result<void> on_bytes(ByteView input);
    Result<void> on_hello(ByteView hello);
    void on_timeout();
    void succeed_if_complete();
    void finish(Result<std::shared_ptr<Link>> result);

    LinkEnvironment environment_;
    LinkRole role_;
    std::unique_ptr<Stream> stream_;
    Done done_;
    Timer timer_;
    PeerInfo peer_;
    ChannelExporter exporter_{};
    Bytes hello_;
    ByteArray<5> hello_header_{};
    bool hello_sent_ = false;
    bool peer_proved_ = false;
    FrameDecoder decoder_{
        {.hello = hello_bytes_max, .data = std::nullopt, .evidence = std::nullopt}};
    Bytes read_buffer_;
    /// Frames that came in one read with the hello.
    Bytes unread_;
};

}  // namespace teetee::net
