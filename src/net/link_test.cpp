// SPDX-License-Identifier: Apache-2.0
#include "net/link.hpp"

#include <optional>

#include "net/test_support.hpp"

namespace teetee::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Trusts listed certificates; a proof is the exporter, the maker's role and a shared word.
class FakeAuthenticator final : public LinkAuthenticator {
  public:
    std::vector<Bytes> trusted;
    /// Certificates that may take the place of trusted ones.
    std::vector<Bytes> renewals;
    std::optional<Error> outcome_of_recheck;
    int renewals_seen = 0;
    std::string word = "word";
    int proofs_made = 0;
    int proofs_seen = 0;

    Result<PeerInfo> verify_certificate(ByteView der) override {
        for (const Bytes& certificate : trusted) {
            if (!std::equal(der.begin(), der.end(), certificate.begin(), certificate.end()))
                continue;
            PeerInfo peer;
            peer.certificate_der = certificate;
            peer.description = "trusted node";
            return peer;
        }
        return fail(ErrorCode::measurement_rejected, "MRTD: not in the policy");
    }

    Bytes prove(ByteView exporter, LinkRole own_role) override {
        ++proofs_made;
        return proof(exporter, own_role);
    }

    Result<void> check_proof(const PeerInfo&, ByteView exporter, LinkRole peer_role,
                             ByteView given) override {
        ++proofs_seen;
        const Bytes wanted = proof(exporter, peer_role);
        if (std::equal(given.begin(), given.end(), wanted.begin(), wanted.end())) return {};
        return fail(ErrorCode::channel_unbound, "proof: not of this session");
    }

    Result<PeerInfo> verify_renewal(const PeerInfo& peer, ByteView der) override {
        ++renewals_seen;
        const Bytes shown(der.begin(), der.end());
        if (std::find(renewals.begin(), renewals.end(), shown) == renewals.end())
            return fail(ErrorCode::statement_mismatch, "tls_spki: another");
        PeerInfo renewed = peer;
        renewed.certificate_der = shown;
        return renewed;
    }

    Result<void> recheck(const PeerInfo&) override {
        if (outcome_of_recheck) return *outcome_of_recheck;
        return {};
    }

  private:
    Bytes proof(ByteView exporter, LinkRole role) const {
        ByteWriter writer;
        writer.bytes(exporter);
        writer.u8(static_cast<uint8_t>(role));
        writer.bytes(as_bytes(word));
        return writer.take();
    }
};

class RecordingLog final : public Log {
  public:
    void write(LogLevel, std::string_view message) override { lines.emplace_back(message); }
    size_t count(std::string_view part) const {
        return static_cast<size_t>(std::count_if(lines.begin(), lines.end(), [&](const auto& line) {
            return line.find(part) != std::string::npos;
        }));
    }
    std::vector<std::string> lines;
};

/// One node: its identity, whom it trusts, what it received.
struct Node {
    explicit Node(Loop& owner, const char* name)
        : loop(owner), identity(make_identity(name)), tls(*TlsContext::build_mutual(identity)) {}

    LinkEnvironment environment() { return {loop, tls, authenticator, log, options, &meter}; }

    void adopt(std::shared_ptr<Link> fresh) {
        ++links_made;
        link = fresh;
        link->on_frame([this](Bytes frame) { frames.push_back(std::move(frame)); });
        link->on_closed([this](const Error& error) { closed = error; });
    }

    void listen(uint16_t port = 0) {
        auto made = LinkListener::listen(environment(), {"127.0.0.1", port},
                                         [this](std::shared_ptr<Link> fresh) { adopt(fresh); });
        ASSERT_TRUE(made) << made.error().message();
        listener = std::move(*made);
    }

    void dial(uint16_t port) {
        dialer = std::make_unique<LinkDialer>(
            environment(), Address{"127.0.0.1", port},
            LinkDialer::Callbacks{[this](std::shared_ptr<Link> fresh) { adopt(fresh); },
                                  [this](const Error& error) { downs.push_back(error); }});
    }

    Loop& loop;
    TlsIdentity identity;
    TlsContext tls;
    FakeAuthenticator authenticator;
    RecordingLog log;
    LinkOptions options;
    LinkMeter meter;
    std::unique_ptr<LinkListener> listener;
    std::unique_ptr<LinkDialer> dialer;
    std::shared_ptr<Link> link;
    int links_made = 0;
    std::vector<Bytes> frames;
    std::optional<Error> closed;
    std::vector<Error> downs;
};

class link_pair : public testing::Test {
  protected:
    link_pair() : a(loop, "a"), b(loop, "b") {
        a.authenticator.trusted = {b.identity.certificate_der};
        b.authenticator.trusted = {a.identity.certificate_der};
    }
    ~link_pair() override {
        for (Node* node : {&a, &b}) {
            node->dialer.reset();
            node->listener.reset();
            if (node->link != nullptr) node->link->close();
        }
    }
    void link_up() {
        b.listen();
        a.dial(b.listener->port());
        run_until(loop, [&] { return a.link != nullptr && b.link != nullptr; });
    }
    /// A raw TCP or TLS connection to b.
    std::unique_ptr<Stream> connect_to_b() {
        std::unique_ptr<Stream> out;
        connect(loop, {"127.0.0.1", b.listener->port()}, seconds(5),
                [&](Result<std::unique_ptr<Stream>> stream) { out = std::move(*stream); });
        run_until(loop, [&] { return out != nullptr; });
        return out;
    }
    std::unique_ptr<Stream> secure_to_b() {
        auto stream = connect_to_b();
        bool secured = false;
        stream->handshake(a.tls, TlsSide::client,
                          [&](Result<void> done) { secured = done.has_value(); });
        run_until(loop, [&] { return secured; });
        return stream;
    }
    /// Reads until the other side closes; the number of application bytes that came.
    size_t drain(Stream& stream) {
        size_t total = 0;
        bool ended = false;
        std::array<uint8_t, 1000> buffer{};
        std::function<void()> read = [&] {
            stream.read_some(buffer, [&](Result<size_t> bytes) {
                ended = !bytes.has_value();
                if (ended) return;
                total += *bytes;
                read();
            });
        };
        read();
        run_until(loop, [&] { return ended; });
        return total;
    }
    void send_raw(Stream& stream, ByteView head, ByteView body) {
        bool sent = false;
        stream.write(head, body, [&](Result<void>) { sent = true; });
        run_until(loop, [&] { return sent; });
    }

    Loop loop;
    Node a;
    Node b;
};

TEST_F(link_pair, carries_frames_both_ways_in_order) {
    link_up();
    EXPECT_EQ(a.link->peer().certificate_der, b.identity.certificate_der);
    EXPECT_EQ(b.link->peer().certificate_der, a.identity.certificate_der);
    std::vector<Bytes> sent;
    for (const unsigned bytes : {0u, 1u, 5000u, 16'384u, 70'000u, 3'000'000u, 3u}) {
        sent.push_back(Bytes(bytes, static_cast<uint8_t>(bytes)));
    }
    for (const Bytes& frame : sent) {
        a.link->send(frame);
        b.link->send(frame);
    }
    EXPECT_GT(a.link->pending_bytes(), 3'000'000u);
    run_until(loop,
              [&] { return a.frames.size() == sent.size() && b.frames.size() == sent.size(); });
    EXPECT_EQ(a.frames, sent);
    EXPECT_EQ(b.frames, sent);
    run_until(loop, [&] { return a.link->pending_bytes() == 0; });
    EXPECT_EQ(a.log.count("up: trusted node"), 1u);
    EXPECT_EQ(a.link->traffic().frames_sent, sent.size());
    EXPECT_EQ(a.link->traffic().bytes_sent, b.link->traffic().bytes_received);
    EXPECT_EQ(a.link->traffic().bytes_received, 3'091'388u);
    EXPECT_GT(b.link->traffic().receive_time, Duration{});
    EXPECT_GT(a.link->traffic().send_time, Duration{});
    EXPECT_LT(a.link->round_trip().value_or(seconds(9)), seconds(9));
}

TEST_F(link_pair, frames_sent_at_once_after_the_handshake_arrive) {
    b.listen();
    a.dialer =
        std::make_unique<LinkDialer>(a.environment(), Address{"127.0.0.1", b.listener->port()},
                                     LinkDialer::Callbacks{[&](std::shared_ptr<Link> fresh) {
                                                               a.adopt(fresh);
                                                               fresh->send({1});
                                                               fresh->send({2});
                                                           },
                                                           {}});
    run_until(loop, [&] { return b.frames.size() == 2; });
    EXPECT_EQ(b.frames, (std::vector<Bytes>{{1}, {2}}));
}

TEST_F(link_pair, dialer_refuses_a_wrong_certificate_before_any_byte) {
    a.authenticator.trusted.clear();
    b.listen();
    a.dial(b.listener->port());
    run_until(loop, [&] { return !a.downs.empty() && b.log.count("refused") > 0; });
    EXPECT_EQ(a.downs[0].code, ErrorCode::measurement_rejected);
    EXPECT_GE(a.meter.dials_failed.at(ErrorCode::measurement_rejected), 1u);
    EXPECT_EQ(a.authenticator.proofs_made, 0);
    EXPECT_EQ(b.authenticator.proofs_seen, 0);
    EXPECT_EQ(b.link, nullptr);
    EXPECT_EQ(a.log.count("MRTD: not in the policy"), 1u);
    EXPECT_EQ(b.log.count("may have refused this node's certificate"), 1u);
}

TEST_F(link_pair, listener_refuses_a_wrong_certificate_before_any_byte) {
    b.authenticator.trusted.clear();
    b.listen();
    const auto stream = secure_to_b();
    EXPECT_EQ(drain(*stream), 0u);
    EXPECT_EQ(b.authenticator.proofs_made, 0);
    EXPECT_EQ(b.log.count("measurement_rejected: MRTD: not in the policy"), 1u);
    EXPECT_EQ(b.meter.refused.at(ErrorCode::measurement_rejected), 1u);
    a.dial(b.listener->port());
    run_until(loop, [&] { return !a.downs.empty(); });
    EXPECT_EQ(a.downs[0].code, ErrorCode::connection_closed);
    EXPECT_EQ(a.links_made, 0);
}

TEST_F(link_pair, wrong_proofs_are_refused_on_either_side) {
    b.listen();
    b.authenticator.word = "another";
    a.dial(b.listener->port());
    run_until(loop, [&] { return !a.downs.empty() && b.log.count("refused") > 0; });
    EXPECT_EQ(a.links_made, 0);
    EXPECT_EQ(b.links_made, 0);
    EXPECT_EQ(b.log.count("channel_unbound"), 1u);
}

TEST_F(link_pair, a_reflected_hello_is_refused) {
    b.listen();
    const auto stream = secure_to_b();
    std::array<uint8_t, 1000> buffer{};
    size_t bytes = 0;
    stream->read_some(buffer, [&](Result<size_t> got) { bytes = *got; });
    run_until(loop, [&] { return bytes > 0; });
    send_raw(*stream, ByteView(buffer).first(bytes), {});
    drain(*stream);
    EXPECT_EQ(b.links_made, 0);
    EXPECT_EQ(b.log.count("channel_unbound"), 1u);
}

TEST_F(link_pair, malformed_hellos_are_refused) {
    b.listen();
    const std::pair<Bytes, const char*> cases[] = {
        {{0xff, 0xff, 0xff, 0x7f, 2}, "frame_too_large"},
        {{0x01, 0x10, 0, 0, 2}, "frame_too_large"},
        {{0, 0, 0, 0, 2}, "limit_exceeded"},
        {{2, 0, 0, 0, 2, 1, 0}, "version_unsupported"},
        {{2, 0, 0, 0, 2, 3, 0}, "version_unsupported"},
        {{6, 0, 0, 0, 2, 2, 0, 9, 0, 0, 0}, "limit_exceeded"},
        {{7, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0, 1}, "frame_malformed: hello"},
        // No other kind before the hello; and a hello of links of version 1.
        {{0, 0, 0, 0, 3}, "frame_malformed: frame: have kind 3"},
        {{0, 0, 0, 0, 4}, "frame_malformed: frame: have kind 4"},
        {{6, 0, 0, 0, 1, 0, 0, 0, 0, 0}, "frame_malformed: frame: have kind 1"},
    };
    for (const auto& [hello, reason] : cases) {
        b.log.lines.clear();
        const auto stream = secure_to_b();
        send_raw(*stream, hello, {});
        drain(*stream);
        EXPECT_EQ(b.log.count(reason), 1u) << reason;
    }
    EXPECT_EQ(b.links_made, 0);
}

TEST_F(link_pair, garbage_instead_of_tls_is_refused) {
    b.listen();
    const auto stream = connect_to_b();
    send_raw(*stream, as_bytes("GET / HTTP/1.1\r\n\r\n"), {});
    drain(*stream);
    EXPECT_EQ(b.log.count("tls_failed"), 1u);
}

TEST_F(link_pair, silent_connections_time_out_and_are_limited) {
    b.options.half_open_max = 2;
    b.options.handshake_time_max = milliseconds(300);
    b.listen();
    const auto first = connect_to_b();
    const auto second = secure_to_b();
    const auto third = connect_to_b();
    drain(*third);
    EXPECT_EQ(b.log.count("overloaded"), 1u);
    EXPECT_EQ(b.log.count("timed_out"), 0u);
    drain(*first);
    drain(*second);
    EXPECT_EQ(b.log.count("timed_out"), 2u);
    a.dial(b.listener->port());
    run_until(loop, [&] { return b.link != nullptr; });
}

TEST_F(link_pair, one_source_does_not_get_every_handshake) {
    b.options.half_open_per_source_max = 2;
    b.listen();
    const auto first = connect_to_b();
    const auto second = connect_to_b();
    drain(*connect_to_b());
    EXPECT_EQ(b.log.count("overloaded: handshakes: have 2 at a time from 127.0.0.1"), 1u);
    first->close();
    run_until(loop, [&] { return b.log.count("refused") == 2; });
    a.dial(b.listener->port());
    run_until(loop, [&] { return b.link != nullptr; });
}

TEST_F(link_pair, a_few_sources_that_hold_every_handshake_keep_no_other_out) {
    b.options.half_open_max = 4;
    b.options.half_open_per_source_max = 2;
    b.options.handshake_time_max = seconds(60);
    b.listen();
    std::vector<ForeignConnection> silent;
    for (uint32_t i = 0; i < 4; ++i)
        silent.emplace_back(INADDR_LOOPBACK + 1 + i % 2, b.listener->port());
    // Both have all that they may.
    for (uint32_t i = 0; i < 2; ++i)
        silent.emplace_back(INADDR_LOOPBACK + 1 + i, b.listener->port());
    run_until(loop, [&] { return b.log.count("overloaded") == 2; });
    a.dial(b.listener->port());
    run_until(loop, [&] { return b.link != nullptr; });
    EXPECT_EQ(b.log.count("gave way to another source"), 1u);
}

TEST_F(link_pair, handshakes_of_one_source_are_limited_in_time) {
    b.options.handshakes_per_source = {.burst = 3, .interval = milliseconds(200)};
    b.listen();
    for (int i = 0; i < 3; ++i) connect_to_b()->close();
    // Nothing of TLS is answered any more, and then, after a while, it is.
    const auto refused = connect_to_b();
    EXPECT_EQ(drain(*refused), 0u);
    EXPECT_EQ(b.log.count("overloaded: handshakes: too many in a short time from 127.0.0.1"), 1u);
    EXPECT_EQ(b.authenticator.proofs_made, 0);
    a.dial(b.listener->port());
    run_until(loop, [&] { return b.link != nullptr; });
}

TEST_F(link_pair, refusals_beyond_ten_a_second_are_counted_not_logged) {
    // Nothing is computed for them, so that on a slow machine too they all come within a second.
    b.options.handshakes_per_source.burst = 0;
    b.listen();
    std::vector<ForeignConnection> refused;
    for (int i = 0; i < 15; ++i) refused.emplace_back(INADDR_LOOPBACK + 1, b.listener->port());
    run_until(loop, [&] { return b.log.count("5 more links refused") == 1; });
    EXPECT_EQ(b.log.count("refused: overloaded"), 10u);
}

TEST_F(link_pair, oversized_frames_end_the_link) {
    b.options.frame_bytes_max = 1000;
    link_up();
    a.link->send(Bytes(1001));
    run_until(loop, [&] { return a.closed && b.closed; });
    EXPECT_EQ(b.closed->code, ErrorCode::frame_too_large);
    EXPECT_TRUE(b.frames.empty());
}

TEST_F(link_pair, an_own_frame_above_the_limit_ends_the_link) {
    a.options.frame_bytes_max = 10;
    link_up();
    a.link->send(Bytes(11));
    EXPECT_FALSE(a.closed.has_value());
    run_until(loop, [&] { return a.closed.has_value(); });
    EXPECT_EQ(a.closed->code, ErrorCode::frame_too_large);
}

TEST_F(link_pair, a_full_queue_ends_the_link) {
    a.options.queue_bytes_max = 10'000;
    link_up();
    for (int i = 0; i < 10; ++i) a.link->send(Bytes(1000));
    EXPECT_FALSE(a.link->closed());
    a.link->send({1});
    EXPECT_TRUE(a.link->closed());
    run_until(loop, [&] { return a.closed && b.closed; });
    EXPECT_EQ(a.closed->code, ErrorCode::limit_exceeded);
    a.link->send({1});
}

TEST_F(link_pair, closing_calls_only_the_other_side) {
    link_up();
    a.dialer.reset();
    a.link->close();
    run_until(loop, [&] { return b.closed.has_value(); });
    EXPECT_EQ(b.closed->code, ErrorCode::connection_closed);
    EXPECT_FALSE(a.closed.has_value());
}

TEST_F(link_pair, closing_inside_on_frame_is_safe) {
    link_up();
    const std::string captured(100, 'x');
    b.link->on_frame([&, captured](Bytes) {
        b.link->close();
        b.frames.push_back(Bytes(captured.begin(), captured.end()));
    });
    a.link->send({1});
    a.link->send({2});
    run_until(loop, [&] { return a.closed.has_value(); });
    EXPECT_EQ(b.frames, std::vector<Bytes>{Bytes(100, 'x')});
}

TEST_F(link_pair, dialer_comes_back_after_the_peer_has_died) {
    link_up();
    const uint16_t port = b.listener->port();
    b.listener.reset();
    b.link->close();
    run_until(loop, [&] { return a.closed.has_value() && a.downs.size() >= 2; });
    EXPECT_EQ(a.downs[0].code, ErrorCode::connection_closed);
    EXPECT_EQ(a.downs[1].code, ErrorCode::connect_failed);
    run_for(loop, milliseconds(800));
    EXPECT_EQ(a.log.count("connect_failed"), 1u) << "the same reason is logged once";
    b.listen(port);
    run_until(loop, [&] { return a.links_made == 2 && b.links_made == 2; });
    a.link->send({9});
    run_until(loop, [&] { return b.frames == std::vector<Bytes>{{9}}; });
}

TEST_F(link_pair, a_destroyed_dialer_or_listener_ends_its_handshakes) {
    b.options.handshake_time_max = seconds(60);
    b.listen();
    const auto stream = secure_to_b();
    std::array<uint8_t, 1000> buffer{};
    bool hello = false;
    stream->read_some(buffer, [&](Result<size_t> got) { hello = got.has_value(); });
    run_until(loop, [&] { return hello; });
    a.dial(b.listener->port());
    a.dialer.reset();
    b.listener.reset();
    drain(*stream);
    run_for(loop, milliseconds(50));
    EXPECT_EQ(a.links_made + b.links_made, 0);
}

TEST_F(link_pair, renewed_evidence_takes_its_place_between_frames) {
    link_up();
    const Bytes renewed = {4, 2};
    b.authenticator.renewals = {renewed};
    std::vector<Bytes> shown;
    b.link->on_frame([&](Bytes frame) {
        b.frames.push_back(std::move(frame));
        shown.push_back(b.link->peer().certificate_der);
    });
    a.link->send({1});
    a.link->renew(renewed);
    a.link->send({2});
    run_until(loop, [&] { return b.frames.size() == 2; });
    EXPECT_EQ(b.frames, (std::vector<Bytes>{{1}, {2}}));
    EXPECT_EQ(shown, (std::vector<Bytes>{a.identity.certificate_der, renewed}));
    EXPECT_EQ(a.links_made, 1);
    EXPECT_FALSE(b.link->closed());
}

TEST_F(link_pair, renewed_evidence_that_is_refused_ends_the_link) {
    link_up();
    a.link->renew({6, 6, 6});
    run_until(loop, [&] { return a.closed && b.closed; });
    EXPECT_EQ(b.closed->code, ErrorCode::statement_mismatch);
    EXPECT_EQ(b.closed->detail, "renewed evidence: tls_spki: another");
    EXPECT_EQ(b.log.count("down: statement_mismatch: renewed evidence: tls_spki"), 1u);
}

TEST_F(link_pair, a_flood_of_renewed_evidence_ends_the_link) {
    b.options.renewals = {.burst = 3, .interval = seconds(60)};
    link_up();
    const Bytes renewed = {4, 2};
    b.authenticator.renewals = {renewed};
    for (int i = 0; i < 100; ++i) a.link->renew(renewed);
    run_until(loop, [&] { return a.closed && b.closed; });
    EXPECT_EQ(b.closed->code, ErrorCode::limit_exceeded);
    EXPECT_EQ(b.authenticator.renewals_seen, 3) << "the rest is not even looked at";
}

TEST_F(link_pair, oversized_evidence_ends_the_link_before_it_has_come) {
    b.listen();
    const auto raw = secure_to_b();
    ByteWriter hello;
    hello.u16(link_version);
    hello.length_prefixed(a.authenticator.prove(raw->channel_exporter().value(), LinkRole::dialer));
    send_raw(*raw, encode_frame_header(FrameKind::hello, hello.size()), hello.view());
    send_raw(*raw, encode_frame_header(FrameKind::evidence, evidence_frame_bytes_max + 1), {});
    run_until(loop, [&] { return b.closed.has_value(); });
    EXPECT_EQ(b.closed->code, ErrorCode::frame_too_large);
    EXPECT_EQ(b.authenticator.renewals_seen, 0);
}

TEST_F(link_pair, a_recheck_that_fails_ends_the_link_with_its_error) {
    link_up();
    a.link->recheck();
    b.link->recheck();
    run_for(loop, milliseconds(20));
    EXPECT_FALSE(a.link->closed());
    EXPECT_FALSE(b.link->closed());
    b.authenticator.outcome_of_recheck =
        fail(ErrorCode::tcb_status_rejected, "TCB status: have OutOfDate, need UpToDate");
    b.link->recheck();
    EXPECT_FALSE(b.closed.has_value()) << "never inside the call";
    run_until(loop, [&] { return a.closed && b.closed; });
    EXPECT_EQ(b.closed->code, ErrorCode::tcb_status_rejected);
    EXPECT_EQ(b.log.count("down: tcb_status_rejected: TCB status: have OutOfDate"), 1u);
    b.link->recheck();
}

TEST_F(link_pair, a_handshake_that_began_before_a_renewal_is_told_of_it) {
    b.listen();
    const auto raw = secure_to_b();
    const TlsIdentity renewed = make_identity("b, later");
    ASSERT_TRUE(b.tls.show(renewed));
    ByteWriter hello;
    hello.u16(link_version);
    hello.length_prefixed(a.authenticator.prove(raw->channel_exporter().value(), LinkRole::dialer));
    send_raw(*raw, encode_frame_header(FrameKind::hello, hello.size()), hello.view());
    FrameDecoder decoder(
        {.hello = hello_bytes_max, .data = {}, .evidence = evidence_frame_bytes_max});
    std::vector<Frame> frames;
    std::array<uint8_t, 5000> buffer{};
    std::function<void()> read = [&] {
        raw->read_some(buffer, [&](Result<size_t> bytes) {
            ASSERT_TRUE(bytes);
            ByteView input = ByteView(buffer).first(*bytes);
            for (auto frame = decoder.next(input); frame && *frame; frame = decoder.next(input))
                frames.push_back(std::move(**frame));
            read();
        });
    };
    read();
    run_until(loop, [&] { return frames.size() == 2; });
    EXPECT_EQ(raw->peer_certificate_der().value(), b.identity.certificate_der);
    EXPECT_EQ(frames[1], (Frame{FrameKind::evidence, renewed.certificate_der}));
    raw->close();
    read = nullptr;
}

TEST_F(link_pair, handshakes_show_the_identity_that_the_context_has_just_now) {
    link_up();
    const TlsIdentity renewed = make_identity("b, later");
    ASSERT_TRUE(b.tls.show(renewed));
    EXPECT_EQ(a.link->peer().certificate_der, b.identity.certificate_der);
    a.authenticator.trusted = {renewed.certificate_der};
    b.link->close();
    run_until(loop, [&] { return a.links_made == 2; });
    EXPECT_EQ(a.link->peer().certificate_der, renewed.certificate_der);
}

}  // namespace
}  // namespace teetee::net
