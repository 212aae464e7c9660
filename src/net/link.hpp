// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "base/request.hpp"
#include "base/world.hpp"
#include "net/limits.hpp"
#include "net/link_frame.hpp"
#include "net/link_meter.hpp"
#include "net/rate_limit.hpp"
#include "net/stream.hpp"

namespace teetee::net {

inline constexpr uint16_t link_version = 2;

/// Which end of a link a node is; in the proofs, so that none can be sent back to its maker.
enum class LinkRole : uint8_t { dialer = 1, listener = 2 };

/// Whom a link leads to, as its verified certificate says.
struct PeerInfo {
    ByteArray<20> node_id{};
    Bytes certificate_der;
    /// For logs and people.
    std::string description;
    /// Of its statement: what it serves, and until when it is valid.
    LayerRange layers{};
    UnixSeconds evidence_ends = 0;
};

/// Decides who may be linked with. An exporter does not cover the certificate of the client (RFC
/// 8446 section 7.5), so a proof MUST be made with a key that the certificate's evidence names.
class LinkAuthenticator {
  public:
    virtual ~LinkAuthenticator() = default;
    /// Called after the TLS handshake, before any application byte goes either way.
    virtual Result<PeerInfo> verify_certificate(ByteView der) = 0;
    /// Binds this node to this TLS session; at most 4,000 bytes.
    virtual Bytes prove(ByteView exporter, LinkRole own_role) = 0;
    virtual Result<void> check_proof(const PeerInfo& peer, ByteView exporter, LinkRole peer_role,
                                     ByteView proof) = 0;
    /// The peer shows another certificate over its link. Verified as at first; the proof was made
    /// with keys that this one MUST name too; never older than what it takes the place of.
    virtual Result<PeerInfo> verify_renewal(const PeerInfo& peer, ByteView der) = 0;
    /// Whether what was found of a peer whose link is up still holds: its evidence ages, and what
    /// is known of its platform changes.
    virtual Result<void> recheck(const PeerInfo& peer) = 0;
};

struct LinkOptions {
    size_t frame_bytes_max = net::frame_bytes_max;
    size_t queue_bytes_max = net::link_queue_bytes_max;
    /// From the accepted or dialled connection to a link that is up.
    Duration handshake_time_max = std::chrono::seconds(5);
    /// Handshakes at a time, of all sources and of one; a listener refuses further connections.
    size_t half_open_max = 32;
    size_t half_open_per_source_max = 8;
    /// Connections that a listener shakes hands with at all; the rest is refused before TLS.
    Rate handshakes_per_source{.burst = 32, .interval = std::chrono::milliseconds(250)};
    /// Certificates that a peer may show over one link; each takes a verification.
    Rate renewals{.burst = 4, .interval = std::chrono::seconds(1)};
    /// Between a dialer's tries, doubling.
    Duration backoff_min = std::chrono::milliseconds(100);
    Duration backoff_max = std::chrono::seconds(2);
};

/// What listeners and dialers share; the references MUST outlive them and their links.
struct LinkEnvironment {
    Loop& loop;
    /// TlsContext::build_mutual; may show another certificate as time goes on.
    TlsContext tls;
    LinkAuthenticator& authenticator;
    Log& log;
    LinkOptions options{};
    /// What handshakes come to; null: nobody counts.
    LinkMeter* meter = nullptr;
};

/// A channel for frames to a verified node. Frames arrive whole and in order or the link ends. It
/// lives until it ends: who drops a link MUST close it.
class Link : public std::enable_shared_from_this<Link> {
  public:
    ~Link() = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    /// Queues a frame. A frame above frame_bytes_max or a queue above queue_bytes_max ends the link
    /// (frame_too_large, limit_exceeded): a peer that does not read must not fill our memory.
    void send(Bytes frame);
    /// Shows the peer this node's new certificate (DER, at most evidence_frame_bytes_max), behind
    /// the frames that are queued. A peer that does not accept it ends the link.
    void renew(Bytes certificate_der);
    /// Ends the link, with the authenticator's error, unless the peer's evidence is still accepted.
    void recheck();
    /// Ends the link without calling on_closed; frames still queued are lost.
    void close();

    const PeerInfo& peer() const { return peer_; }
    bool closed() const { return closed_; }
    /// Accepted by send and not yet by the kernel.
    size_t pending_bytes() const { return pending_bytes_; }
    const LinkTraffic& traffic() const { return traffic_; }
    /// See Stream::round_trip.
    std::optional<Duration> round_trip() const { return stream_->round_trip(); }

    /// To be set in the call that hands the link over; frames wait for that.
    void on_frame(std::function<void(Bytes)> callback) { on_frame_ = std::move(callback); }
    /// Called once if the link ends otherwise than by close; never inside send.
    void on_closed(std::function<void(const Error&)> callback) { on_closed_ = std::move(callback); }

  private:
    friend class LinkHandshake;
    friend class LinkDialer;
    friend class LinkListener;
    Link(const LinkEnvironment& environment, std::unique_ptr<Stream> stream, PeerInfo peer);

    /// Begins to deliver, first from what has been read already.
    void start(ByteView unread);
    void enqueue(Frame frame);
    void read();
    Result<void> deliver(ByteView input);
    void deliver_data(Bytes bytes);
    Result<void> on_evidence(ByteView certificate_der);
    void write_next();
    void end(const Error& error);

    Loop& loop_;
    LinkAuthenticator& authenticator_;
    LinkOptions options_;
    std::unique_ptr<Stream> stream_;
    PeerInfo peer_;
    LinkTraffic traffic_;
    SystemClock clock_;
    TokenBucket renewals_;
    FrameDecoder decoder_;
    Bytes read_buffer_;
    /// Since when a frame is read that is not whole yet.
    std::optional<Instant> frame_began_;
    struct Queued {
        Frame frame;
        Instant since{};
    };
    std::deque<Queued> queue_;
    /// The frame that is being written, with its header; the stream reads from here.
    Bytes writing_frame_;
    ByteArray<5> writing_header_{};
    bool writing_ = false;
    Instant writing_since_{};
    size_t pending_bytes_ = 0;
    bool closed_ = false;
    std::function<void(Bytes)> on_frame_;
    std::function<void(const Error&)> on_closed_;
    /// The dialer's or listener's; called for every end.
    std::function<void(const Error&)> on_ended_;
};

using OnLink = std::function<void(std::shared_ptr<Link>)>;

/// Accepts links. Its destructor ends accepting and half-made links; links that are up go on.
class LinkListener {
  public:
    /// Errors: of Acceptor::listen.
    static Result<std::unique_ptr<LinkListener>> listen(const LinkEnvironment& environment,
                                                        const Address& address, OnLink on_link);
    ~LinkListener();
    LinkListener(const LinkListener&) = delete;
    LinkListener& operator=(const LinkListener&) = delete;

    uint16_t port() const;

  private:
    struct Impl;
    explicit LinkListener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
    std::shared_ptr<Impl> impl_;
};

/// Keeps one link up as long as it exists: dials, and dials again when the link has ended. A link
/// that is up when it is destroyed goes on.
class LinkDialer {
  public:
    struct Callbacks {
        OnLink on_link;
        /// The link has ended or a try has failed; called only when the reason changes. May be
        /// empty.
        std::function<void(const Error&)> on_down;
    };
    LinkDialer(const LinkEnvironment& environment, const Address& address, Callbacks callbacks);
    ~LinkDialer();
    /// A link that it has made is up.
    bool is_up() const;
    LinkDialer(const LinkDialer&) = delete;
    LinkDialer& operator=(const LinkDialer&) = delete;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace teetee::net
