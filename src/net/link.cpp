// SPDX-License-Identifier: Apache-2.0
#include "net/link.hpp"

namespace teetee::net {
namespace {

constexpr size_t read_buffer_bytes = 64u << 10;

}  // namespace

Link::Link(const LinkEnvironment& environment, std::unique_ptr<Stream> stream, PeerInfo peer)
    : loop_(environment.loop),
      options_(environment.options),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      decoder_(options_.frame_bytes_max),
      read_buffer_(read_buffer_bytes) {}

void Link::send(Bytes frame) {
    if (closed_) return;
    if (frame.size() > options_.frame_bytes_max) {
        return end(fail(ErrorCode::frame_too_large,
                        "own frame: have " + std::to_string(frame.size()) +
                            " bytes, need at most " + std::to_string(options_.frame_bytes_max)));
    }
    if (frame.size() > options_.queue_bytes_max - pending_bytes_) {
        return end(fail(ErrorCode::limit_exceeded,
                        "the peer does not read: have " + std::to_string(pending_bytes_) +
                            " bytes queued and " + std::to_string(frame.size()) +
                            " more, need at most " + std::to_string(options_.queue_bytes_max)));
    }
    pending_bytes_ += frame.size();
    queue_.push_back(std::move(frame));
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
        TT_TRY(auto frame, decoder_.next(input));
        if (!frame.has_value()) break;
        // The callback may close the link, which drops on_frame_: it must outlive its own call.
        auto callback = std::exchange(on_frame_, nullptr);
        if (callback) callback(std::move(*frame));
        if (!closed_ && !on_frame_) on_frame_ = std::move(callback);
    }
    return {};
}

void Link::write_next() {
    if (queue_.empty()) return;
    writing_ = true;
    writing_frame_ = std::move(queue_.front());
    queue_.pop_front();
    writing_length_ = encode_frame_length(writing_frame_.size());
    stream_->write(writing_length_, writing_frame_, [self = shared_from_this()](Result<void> done) {
        self->writing_ = false;
        if (self->closed_) return;
        if (!done) return self->end(done.error());
        self->pending_bytes_ -= self->writing_frame_.size();
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
