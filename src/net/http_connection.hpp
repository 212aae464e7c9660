// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>

#include "net/http_server.hpp"

namespace teetee::net {

/// One connection of an HttpServer. It reads all the time, so that a client that goes is noticed
/// while its answer is made; only a client that pipelines without end is not read from.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
  public:
    struct Owner {
        Loop& loop;
        const HttpServerOptions& options;
        const HttpServer::Handler& handler;
        std::function<void(const std::shared_ptr<HttpConnection>&)> on_end;
        /// Where it has come to have unsent bytes; it may be ended by that.
        std::function<void()> on_unsent;
    };
    HttpConnection(Owner owner, std::unique_ptr<Stream> stream);

    void start();
    /// Answers 503 without reading; for a connection too many.
    void start_refusing();
    /// After the running exchange, or now if there is none.
    void end_when_idle();
    void end();

    bool shaking_hands() const { return shaking_hands_; }
    /// Since when it has been waiting for a whole request; nullopt while one is answered.
    std::optional<Instant> waiting_since() const { return waiting_since_; }
    const std::string& source() const { return stream_->source(); }

    // What an HttpExchange calls.
    void respond(HttpResponse response);
    void begin_stream(int status, std::string_view content_type, const HttpHeaders& headers);
    void write_chunk(std::string_view chunk);
    void finish_stream();
    /// Ends the connection once everything written is out: the answer stays visibly incomplete.
    void cut_stream();
    void on_disconnect(std::function<void()> callback) { on_disconnect_ = std::move(callback); }
    /// Of a stream; a whole answer's body is not in it.
    size_t pending_bytes() const { return out_.size() + in_flight_.size() - in_flight_sent_bytes_; }

    /// Of a whole answer's body that nobody else has: what is freed when it is sent, or is not to
    /// be.
    size_t unsent_bytes() const { return is_body_shared_ || !body_ ? 0 : body_->size(); }
    /// Since when that is on its way.
    Instant unsent_since() const { return unsent_since_; }

  private:
    /// What is done with what the client sends: nothing has come yet; it belongs to a request; it
    /// waits until the running request is answered; it no longer matters, the last answer is sent.
    enum class Phase { idle, receiving, answering, draining, ended };

    void read();
    void on_bytes(ByteView bytes);
    void advance(ByteView bytes);
    void on_header_complete();
    void dispatch();
    void next_request();
    void watch(Duration limit);
    void on_read_timeout();
    void refuse(const Error& error);
    void put_head(int status, std::string_view content_type, const HttpHeaders& headers);
    void write_next();

    Owner owner_;
    std::unique_ptr<Stream> stream_;
    HttpRequestDecoder decoder_;
    std::array<uint8_t, 16u << 10> read_buffer_{};
    bool shaking_hands_ = false;
    bool reading_ = false;
    Phase phase_ = Phase::idle;
    std::optional<Instant> waiting_since_;
    /// What came behind the request that is being answered.
    std::string pipelined_;
    Timer read_timer_;
    Timer write_timer_;
    bool last_request_ = false;

    // The running exchange.
    bool header_seen_ = false;
    bool keep_alive_ = true;
    bool chunks_allowed_ = true;
    bool chunked_ = false;
    bool head_only_ = false;
    /// All of the answer is in in_flight_, out_ and body_.
    bool answer_complete_ = false;
    bool cut_when_sent_ = false;
    std::function<void()> on_disconnect_;

    /// Sent first, from in_flight_sent_bytes_ on; then out_; then body_.
    std::string in_flight_;
    size_t in_flight_sent_bytes_ = 0;
    std::string out_;
    std::shared_ptr<const std::string> body_;
    size_t body_sent_bytes_ = 0;
    bool is_body_shared_ = false;
    Instant unsent_since_{};
    bool writing_ = false;
};

}  // namespace teetee::net
