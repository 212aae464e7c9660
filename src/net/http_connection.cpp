// SPDX-License-Identifier: Apache-2.0
#include "net/http_connection.hpp"

#include <charconv>

namespace teetee::net {
namespace {

/// Enough to notice the end of a client that pipelines a little.
constexpr size_t pipelined_bytes_max = 64u << 10;
/// The write timeout is per piece, so that a slow client may take long for a long answer.
constexpr size_t write_bytes_max = 256u << 10;
/// Of a body that is copied behind its header, so that both go out as one.
constexpr size_t copied_body_bytes_max = 16u << 10;
/// For the client to read the last answer before a reset could overtake it.
constexpr Duration drain_time_max = std::chrono::seconds(2);

/// Control characters would end the field, or the header.
void append_field(std::string& head, std::string_view name, std::string_view value) {
    const auto append = [&head](std::string_view text) {
        for (const char c : text) head.push_back(c >= 0x20 && c != 0x7f ? c : ' ');
    };
    append(name);
    head.append(": ");
    append(value);
    head.append("\r\n");
}

std::string to_chunk_length(size_t bytes) {
    std::array<char, 16> digits{};
    const auto [end, error] =
        std::to_chars(digits.data(), digits.data() + digits.size(), bytes, 16);
    return std::string(digits.data(), end);
}

int status_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::body_too_large:
            return 413;
        case ErrorCode::limit_exceeded:
            return 431;
        case ErrorCode::timed_out:
            return 408;
        default:
            return 400;
    }
}

/// The answer on the connection itself.
class ConnectionExchange final : public HttpExchange {
  public:
    explicit ConnectionExchange(std::shared_ptr<HttpConnection> connection)
        : connection_(std::move(connection)) {}
    ConnectionExchange(const ConnectionExchange&) = delete;
    ConnectionExchange& operator=(const ConnectionExchange&) = delete;

    ~ConnectionExchange() override {
        if (connection_ == nullptr) return;
        if (streaming_) {
            connection_->cut_stream();
            return;
        }
        connection_->respond(build_error_response({.status = 500,
                                                   .type = "server_error",
                                                   .code = "internal",
                                                   .message = "the request was dropped"}));
    }

    void respond(HttpResponse response) override {
        TT_ASSERT(!streaming_);
        if (const auto connection = std::exchange(connection_, nullptr))
            connection->respond(std::move(response));
    }

    void begin_stream(int status, std::string_view content_type,
                      const HttpHeaders& headers) override {
        TT_ASSERT(!streaming_);
        streaming_ = true;
        if (connection_ != nullptr) connection_->begin_stream(status, content_type, headers);
    }

    void write(std::string_view chunk) override {
        TT_ASSERT(streaming_);
        if (connection_ != nullptr) connection_->write_chunk(chunk);
    }

    void finish() override {
        TT_ASSERT(streaming_);
        if (const auto connection = std::exchange(connection_, nullptr))
            connection->finish_stream();
    }

    void on_disconnect(std::function<void()> callback) override {
        if (connection_ != nullptr) connection_->on_disconnect(std::move(callback));
    }

    size_t pending_bytes() const override {
        return connection_ == nullptr ? 0 : connection_->pending_bytes();
    }

  private:
    /// Null when the answer is complete.
    std::shared_ptr<HttpConnection> connection_;
    bool streaming_ = false;
};

}  // namespace

HttpConnection::HttpConnection(Owner owner, std::unique_ptr<Stream> stream)
    : owner_(std::move(owner)), stream_(std::move(stream)), decoder_(owner_.options.limits) {}

void HttpConnection::start() {
    waiting_since_ = SystemClock().now();
    watch(owner_.options.header_time_max);
    if (!owner_.options.tls.has_value()) return read();
    shaking_hands_ = true;
    stream_->handshake(*owner_.options.tls, TlsSide::server,
                       [self = shared_from_this()](Result<void> secured) {
                           self->shaking_hands_ = false;
                           if (self->phase_ == Phase::ended) return;
                           if (!secured) return self->end();
                           self->read();
                       });
}

void HttpConnection::start_refusing() {
    if (owner_.options.tls.has_value()) return end();
    HttpResponse response = build_error_response({.status = 503,
                                                  .type = "server_error",
                                                  .code = "overloaded",
                                                  .message = "too many connections"});
    response.headers.emplace("retry-after", "1");
    phase_ = Phase::answering;
    last_request_ = true;
    keep_alive_ = false;
    respond(std::move(response));
}

void HttpConnection::end_when_idle() {
    last_request_ = true;
    keep_alive_ = false;
    if (phase_ == Phase::idle) end();
}

void HttpConnection::end() {
    if (phase_ == Phase::ended) return;
    phase_ = Phase::ended;
    read_timer_.cancel();
    write_timer_.cancel();
    stream_->close();
    if (!writing_) body_.reset();
    // Later, because the owner of the exchange may be in the middle of a call.
    if (on_disconnect_) owner_.loop.post(std::exchange(on_disconnect_, nullptr));
    owner_.on_end(shared_from_this());
}

void HttpConnection::read() {
    if (reading_ || phase_ == Phase::ended) return;
    if (phase_ == Phase::answering && pipelined_.size() >= pipelined_bytes_max) return;
    reading_ = true;
    stream_->read_some(read_buffer_, [self = shared_from_this()](Result<size_t> bytes) {
        self->reading_ = false;
        if (self->phase_ == Phase::ended) return;
        if (!bytes) {
            // A client may end its side once it has asked; an answer that is ready still goes out.
            if (self->phase_ != Phase::answering || !self->answer_complete_) return self->end();
            self->keep_alive_ = false;
            return;
        }
        self->on_bytes(ByteView(self->read_buffer_).first(*bytes));
        self->read();
    });
}

void HttpConnection::on_bytes(ByteView bytes) {
    if (phase_ == Phase::answering) {
        pipelined_.append(as_text(bytes));
    } else if (phase_ != Phase::draining) {
        advance(bytes);
    }
}

void HttpConnection::advance(ByteView bytes) {
    if (phase_ == Phase::idle) {
        phase_ = Phase::receiving;
        watch(owner_.options.header_time_max);
    }
    const auto state = decoder_.feed(bytes);
    if (!state) return refuse(state.error());
    if (*state == HttpRequestDecoder::State::complete) return dispatch();
    if (*state == HttpRequestDecoder::State::body && !header_seen_) on_header_complete();
}

void HttpConnection::on_header_complete() {
    header_seen_ = true;
    watch(owner_.options.body_time_max);
    if (!decoder_.expects_continue()) return;
    out_.append("HTTP/1.1 100 Continue\r\n\r\n");
    write_next();
}

void HttpConnection::dispatch() {
    read_timer_.cancel();
    waiting_since_ = std::nullopt;
    auto taken = decoder_.take();
    phase_ = Phase::answering;
    header_seen_ = false;
    keep_alive_ = taken.keep_alive && !last_request_;
    chunks_allowed_ = taken.chunks_allowed;
    head_only_ = taken.request.method == "HEAD";
    taken.request.remote = stream_->remote();
    owner_.handler(std::move(taken.request),
                   std::make_shared<ConnectionExchange>(shared_from_this()));
}

/// Reached only after a write has completed, so that requests that came together do not nest.
void HttpConnection::next_request() {
    answer_complete_ = false;
    if (!keep_alive_) {
        phase_ = Phase::draining;
        stream_->end_writing();
        watch(drain_time_max);
        return read();
    }
    phase_ = Phase::idle;
    waiting_since_ = SystemClock().now();
    watch(owner_.options.idle_time_max);
    const std::string waiting = std::exchange(pipelined_, {});
    if (!waiting.empty() || decoder_.unread_bytes() > 0) advance(as_bytes(waiting));
    read();
}

void HttpConnection::watch(Duration limit) {
    read_timer_ = owner_.loop.call_after(limit, [this] { on_read_timeout(); });
}

void HttpConnection::on_read_timeout() {
    if (phase_ != Phase::receiving) return end();
    refuse(fail(ErrorCode::timed_out, "the request did not come in time"));
}

void HttpConnection::refuse(const Error& error) {
    waiting_since_ = std::nullopt;
    phase_ = Phase::answering;
    read_timer_.cancel();
    keep_alive_ = false;
    head_only_ = false;
    respond(build_error_response({.status = status_of(error.code),
                                  .type = "invalid_request_error",
                                  .code = to_string(error.code),
                                  .message = error.detail}));
}

void HttpConnection::put_head(int status, std::string_view content_type,
                              const HttpHeaders& headers) {
    out_.append("HTTP/1.1 ").append(std::to_string(status)).append(" ");
    out_.append(http_reason(status)).append("\r\n");
    if (!content_type.empty()) append_field(out_, "content-type", content_type);
    for (const auto& [name, value] : headers) append_field(out_, name, value);
    if (!keep_alive_) append_field(out_, "connection", "close");
    if (keep_alive_ && !chunks_allowed_) append_field(out_, "connection", "keep-alive");
}

void HttpConnection::respond(HttpResponse response) {
    if (phase_ == Phase::ended) return;
    const bool bodiless = response.status == 204 || response.status == 304;
    put_head(response.status, bodiless ? "" : response.content_type, response.headers);
    const size_t bytes = response.content().size();
    if (!bodiless) append_field(out_, "content-length", std::to_string(bytes));
    out_.append("\r\n");
    answer_complete_ = true;
    on_disconnect_ = nullptr;
    const bool is_sent = !bodiless && !head_only_;
    if (is_sent && bytes <= copied_body_bytes_max) {
        out_.append(response.content());
    } else if (is_sent) {
        is_body_shared_ = response.shared_body != nullptr;
        body_ = is_body_shared_ ? std::move(response.shared_body)
                                : std::make_shared<const std::string>(std::move(response.body));
        unsent_since_ = SystemClock().now();
    }
    write_next();
    if (unsent_bytes() > 0) owner_.on_unsent();
}

void HttpConnection::begin_stream(int status, std::string_view content_type,
                                  const HttpHeaders& headers) {
    if (phase_ == Phase::ended) return;
    chunked_ = chunks_allowed_;
    // The end of the connection is the end of the answer.
    if (!chunked_) keep_alive_ = false;
    put_head(status, content_type, headers);
    if (chunked_) append_field(out_, "transfer-encoding", "chunked");
    out_.append("\r\n");
    write_next();
}

void HttpConnection::write_chunk(std::string_view chunk) {
    // An empty chunk would be the end of the body.
    if (phase_ == Phase::ended || head_only_ || chunk.empty()) return;
    if (pending_bytes() + chunk.size() > owner_.options.stream_bytes_max) return end();
    if (chunked_) out_.append(to_chunk_length(chunk.size())).append("\r\n");
    out_.append(chunk);
    if (chunked_) out_.append("\r\n");
    write_next();
}

void HttpConnection::finish_stream() {
    if (phase_ == Phase::ended) return;
    if (chunked_ && !head_only_) out_.append("0\r\n\r\n");
    answer_complete_ = true;
    on_disconnect_ = nullptr;
    write_next();
}

void HttpConnection::cut_stream() {
    if (phase_ == Phase::ended) return;
    cut_when_sent_ = true;
    on_disconnect_ = nullptr;
    write_next();
}

void HttpConnection::write_next() {
    if (writing_ || phase_ == Phase::ended) return;
    if (in_flight_sent_bytes_ == in_flight_.size()) {
        in_flight_.clear();
        in_flight_sent_bytes_ = 0;
        std::swap(in_flight_, out_);
    }
    if (body_ && body_sent_bytes_ == body_->size()) {
        body_.reset();
        body_sent_bytes_ = 0;
    }
    if (in_flight_.empty() && !body_) {
        if (cut_when_sent_) return end();
        if (answer_complete_) next_request();
        return;
    }
    writing_ = true;
    write_timer_ = owner_.loop.call_after(owner_.options.write_time_max, [this] { end(); });
    const std::string_view piece =
        std::string_view(in_flight_).substr(in_flight_sent_bytes_, write_bytes_max);
    const bool is_body_next = body_ && out_.empty();
    const bool is_last_of_head = in_flight_sent_bytes_ + piece.size() == in_flight_.size();
    const std::string_view behind =
        is_body_next && is_last_of_head
            ? std::string_view(*body_).substr(body_sent_bytes_, write_bytes_max - piece.size())
            : std::string_view();
    const bool has_head = !piece.empty();
    stream_->write(as_bytes(has_head ? piece : behind),
                   as_bytes(has_head ? behind : std::string_view()),
                   [self = shared_from_this(), piece_bytes = piece.size(),
                    behind_bytes = behind.size()](Result<void> written) {
                       self->writing_ = false;
                       self->write_timer_.cancel();
                       if (self->phase_ == Phase::ended) return self->body_.reset();
                       if (!written) return self->end();
                       self->in_flight_sent_bytes_ += piece_bytes;
                       self->body_sent_bytes_ += behind_bytes;
                       self->write_next();
                   });
}

}  // namespace teetee::net
