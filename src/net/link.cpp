// SPDX-License-Identifier: Apache-2.0
#include "net/link.hpp"

namespace teetee::net {
namespace {

constexpr size_t read_buffer_bytes = 64u << 10;

}  // namespace

Link::Link(const LinkEnvironment& environment, std::unique_ptr<Stream> stream, PeerInfo peer)
    : loop_(environment.loop),
      authenticator_(environment.authenticator),
      options_(environment.options),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      decoder_({.hello = std::nullopt,
                .data = options_.frame_bytes_max,
                .evidence = evidence_frame_bytes_max}),
      read_buffer_(read_buffer_bytes) {}

void Link::send(Bytes frame) {
    if (closed_) return;
    if (frame.size() > options_.frame_bytes_max) {
        return end(fail(ErrorCode::frame_too_large,
                        "own frame: have " + std::to_string(frame.size()) +
                            " bytes, need at most " + std::to_string(options_.frame_bytes_max)));
    }
    enqueue({FrameKind::data, std::move(frame)});
}

void Link::renew(Bytes certificate_der) {
    TT_ASSERT(certificate_der.size() <= evidence_frame_bytes_max);
    if (!closed_) enqueue({FrameKind::evidence, std::move(certificate_der)});
}

void Link::recheck() {
    if (closed_) return;
    if (auto held = authenticator_.recheck(peer_); !held) end(held.error());
}

void Link::enqueue(Frame frame) {
    const size_t frame_bytes = frame.bytes.size();
    if (frame_bytes > options_.queue_bytes_max - pending_bytes_) {
        return end(fail(ErrorCode::limit_exceeded,
                        "the peer does not read: have " + std::to_string(pending_bytes_) +
                            " bytes queued and " + std::to_string(frame_bytes) +
                            " more, need at most " + std::to_string(options_.queue_bytes_max)));
    }
    pending_bytes_ += frame_bytes;
    queue_.push_back({std::move(frame), clock_.now()});
    if (!writing_) write_next();
}

void Link::close() {
    on_closed_ = nullptr;
    if (!closed_) end(fail(ErrorCode::cancelled, "closed here"));
}

void Link::start(ByteView unread) {
    if (auto delivered = deliver(unread); !delivered) return end(delivered.error());
    if (!closed_) read();
}

void Link::read() {
    stream_->read_some(read_buffer_, [self = shared_from_this()](Result<size_t> bytes) {
        if (self->closed_) return;
        if (!bytes) return self->end(bytes.error());
        auto delivered = self->deliver(ByteView(self->read_buffer_).first(*bytes));
        if (self->closed_) return;
        if (!delivered) return self->end(delivered.error());
        self->read();
    });
}

Result<void> Link::deliver(ByteView input) {
    while (!closed_) {
        if (!frame_began_ && !input.empty()) frame_began_ = clock_.now();
        TT_TRY(auto frame, decoder_.next(input));
        if (!frame.has_value()) break;
        ++traffic_.frames_received;
        traffic_.bytes_received += frame->bytes.size();
        if (frame_began_) traffic_.receive_time += clock_.now() - *frame_began_;
        frame_began_.reset();
        if (frame->kind == FrameKind::evidence) {
            TT_CHECK(on_evidence(frame->bytes));
        } else {
            deliver_data(std::move(frame->bytes));
        }
    }
    return {};
}

void Link::deliver_data(Bytes bytes) {
    // The callback may close the link, which drops on_frame_: it must outlive its own call.
    auto callback = std::exchange(on_frame_, nullptr);
    if (callback) callback(std::move(bytes));
    if (!closed_ && !on_frame_) on_frame_ = std::move(callback);
}

Result<void> Link::on_evidence(ByteView certificate_der) {
    if (!renewals_.take(clock_.now(), options_.renewals)) {
        return fail(ErrorCode::limit_exceeded, "renewed evidence comes too often");
    }
    auto renewed = authenticator_.verify_renewal(peer_, certificate_der);
    if (!renewed) return in_context("renewed evidence", std::move(renewed).error());
    peer_ = std::move(renewed).value();
    return {};
}

void Link::write_next() {
    if (queue_.empty()) return;
    writing_ = true;
    auto& [frame, since] = queue_.front();
    writing_header_ = encode_frame_header(frame.kind, frame.bytes.size());
    writing_frame_ = std::move(frame.bytes);
    writing_since_ = since;
    queue_.pop_front();
    stream_->write(writing_header_, writing_frame_, [self = shared_from_this()](Result<void> done) {
        self->writing_ = false;
        if (self->closed_) return;
        if (!done) return self->end(done.error());
        self->pending_bytes_ -= self->writing_frame_.size();
        ++self->traffic_.frames_sent;
        self->traffic_.bytes_sent += self->writing_frame_.size();
        self->traffic_.send_time += self->clock_.now() - self->writing_since_;
        self->write_next();
    });
}

void Link::end(const Error& error) {
    closed_ = true;
    stream_->close();
    queue_.clear();
    pending_bytes_ = 0;
    on_frame_ = nullptr;
    loop_.post([self = shared_from_this(), error] {
        if (const auto callback = std::exchange(self->on_closed_, nullptr)) callback(error);
        if (const auto callback = std::exchange(self->on_ended_, nullptr)) callback(error);
    });
}

}  // namespace teetee::net
