// SPDX-License-Identifier: Apache-2.0
#include "net/link_handshake.hpp"

namespace teetee::net {

LinkHandshake::LinkHandshake(const LinkEnvironment& environment, LinkRole role,
                             std::unique_ptr<Stream> stream)
    : environment_(environment),
      role_(role),
      stream_(std::move(stream)),
      read_buffer_(hello_bytes_max) {}

void LinkHandshake::start(Done done) {
    done_ = std::move(done);
    const Duration time_max = environment_.options.handshake_time_max;
    timer_ = environment_.loop.call_after(time_max, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->on_timeout();
    });
    const TlsSide side = role_ == LinkRole::dialer ? TlsSide::client : TlsSide::server;
    stream_->handshake(environment_.tls, side, [self = shared_from_this()](Result<void> secured) {
        if (self->done_ == nullptr) return;
        if (!secured) return self->finish(in_context("TLS", secured.error()));
        self->on_tls();
    });
}

void LinkHandshake::on_tls() {
    if (auto authentic = authenticate(); !authentic) return finish(authentic.error());
    send_hello();
    read();
}

Result<void> LinkHandshake::authenticate() {
    TT_TRY(const Bytes der, stream_->peer_certificate_der());
    TT_TRY(peer_, environment_.authenticator.verify_certificate(der));
    TT_TRY(exporter_, stream_->channel_exporter());
    return {};
}

void LinkHandshake::send_hello() {
    ByteWriter writer;
    writer.u16(link_version);
    writer.length_prefixed(environment_.authenticator.prove(exporter_, role_));
    TT_ASSERT(writer.size() <= hello_bytes_max);
    hello_ = writer.take();
    hello_header_ = encode_frame_header(FrameKind::hello, hello_.size());
    stream_->write(hello_header_, hello_, [self = shared_from_this()](Result<void> sent) {
        if (self->done_ == nullptr) return;
        if (!sent) return self->finish(sent.error());
        self->hello_sent_ = true;
        self->succeed_if_complete();
    });
}

void LinkHandshake::read() {
    stream_->read_some(read_buffer_, [self = shared_from_this()](Result<size_t> bytes) {
        if (self->done_ == nullptr) return;
        if (!bytes) {
            return self->finish(in_context(
                "before its hello (it may have refused this node's certificate)", bytes.error()));
        }
        auto good = self->on_bytes(ByteView(self->read_buffer_).first(*bytes));
        if (!good) return self->finish(good.error());
        if (!self->peer_proved_) return self->read();
        self->succeed_if_complete();
    });
}

Result<void> LinkHandshake::on_bytes(ByteView input) {
    TT_TRY(const auto hello, decoder_.next(input));
    if (!hello.has_value()) return {};
    TT_CHECK(on_hello(hello->bytes));
    peer_proved_ = true;
    unread_.assign(input.begin(), input.end());
    return {};
}

Result<void> LinkHandshake::on_hello(ByteView hello) {
    ByteReader reader(hello);
    TT_TRY(const uint16_t version, reader.read_u16());
    if (version != link_version) {
        return fail(ErrorCode::version_unsupported, "link: have version " +
                                                        std::to_string(version) + ", need " +
                                                        std::to_string(link_version));
    }
    TT_TRY(const uint32_t proof_bytes, reader.read_u32());
    TT_TRY(const ByteView proof, reader.read_bytes(proof_bytes));
    if (!reader.at_end()) return fail(ErrorCode::frame_malformed, "hello: bytes after the proof");
    const LinkRole peer_role = role_ == LinkRole::dialer ? LinkRole::listener : LinkRole::dialer;
    return environment_.authenticator.check_proof(peer_, exporter_, peer_role, proof);
}

void LinkHandshake::on_timeout() {
    finish(fail(ErrorCode::timed_out, "the handshake was not complete in time"));
}

void LinkHandshake::succeed_if_complete() {
    if (!hello_sent_ || !peer_proved_) return;
    Bytes current = environment_.tls.certificate_der();
    const bool is_outdated = stream_->own_certificate_der() != current;
    std::shared_ptr<Link> link(new Link(environment_, std::move(stream_), std::move(peer_)));
    // This node's evidence was renewed since this handshake began.
    if (is_outdated) link->renew(std::move(current));
    finish(std::move(link));
}

void LinkHandshake::cancel() {
    done_ = nullptr;
    timer_.cancel();
    if (stream_ != nullptr) stream_->close();
}

void LinkHandshake::finish(Result<std::shared_ptr<Link>> result) {
    const auto call = std::exchange(done_, nullptr);
    cancel();
    call(std::move(result));
}

}  // namespace teetee::net
