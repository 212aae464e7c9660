// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "net/http_request_head.hpp"
#include "net/stream.hpp"

namespace teetee::net {
namespace {

constexpr size_t response_header_bytes_max = 64u << 10;

bool demands_verification(const HttpClientRequest& request) {
    return request.verify_certificate != nullptr || request.web_pki.has_value();
}

/// One call, on a loop of its own.
class Fetch {
  public:
    Fetch(const HttpClientRequest& request, Url url, std::string head)
        : request_(request),
          url_(std::move(url)),
          head_(std::move(head)),
          decoder_({.limits = {.header_bytes_max = response_header_bytes_max,
                               .body_bytes_max = request.response_bytes_max},
                    .head = request.method == "HEAD"}) {}

    Result<HttpClientResponse> run() {
        const Timer timer = loop_.call_after(request_.time_max, [this] {
            finish(fail(ErrorCode::timed_out, "no complete answer in time"));
        });
        listen();
        const std::stop_callback on_stop(request_.stop, [this] {
            loop_.post([this] { finish(fail(ErrorCode::cancelled, "no longer wanted")); });
        });
        const auto on_connected = [this](Result<std::unique_ptr<Stream>> stream) {
            if (!stream) return finish(std::move(stream).error());
            stream_ = std::move(*stream);
            secure();
        };
        if (is_local()) {
            connect_unix(loop_, request_.unix_socket, on_connected);
        } else {
            connect(loop_, url_.address, std::min(request_.connect_time_max, request_.time_max),
                    on_connected);
        }
        loop_.run();
        stream_.reset();
        if (!outcome_) {
            return in_context(is_local() ? request_.unix_socket : to_string(url_.address),
                              outcome_.error());
        }
        return std::move(response_);
    }

  private:
    bool is_local() const { return !request_.unix_socket.empty(); }

    /// From now on until the next byte.
    void listen() {
        if (request_.silence_max == Duration{}) return;
        silence_ = loop_.call_after(request_.silence_max, [this] {
            finish(fail(ErrorCode::timed_out, "nothing was heard for too long"));
        });
    }

    void finish(Result<void> outcome) {
        outcome_ = std::move(outcome);
        loop_.stop();
    }

    void secure() {
        if (!url_.tls) {
            // Who asks for a verified server must not be talked down to plain HTTP by a URL.
            if (!demands_verification(request_)) return ask();
            return finish(fail(ErrorCode::channel_unbound, "have http, need https to be verified"));
        }
        tls_ = request_.web_pki
                   ? TlsContext::build_web_client({url_.address.host, request_.web_pki->ca_file})
                   : TlsContext::build_client();
        if (!*tls_) return finish(tls_->error());
        stream_->handshake(**tls_, TlsSide::client, [this](Result<void> secured) {
            if (!secured) return finish(in_context("TLS", secured.error()));
            if (auto verified = verify(); !verified) return finish(std::move(verified));
            ask();
        });
    }

    Result<void> verify() {
        if (!request_.verify_certificate) return {};
        TT_TRY(const Bytes der, stream_->peer_certificate_der());
        return request_.verify_certificate(der);
    }

    void ask() {
        stream_->write(as_bytes(head_), as_bytes(request_.body), [this](Result<void> sent) {
            // A server may answer, with 413 say, and close before it has read all.
            if (!sent && sent.error().code != ErrorCode::connection_closed) {
                finish(std::move(sent));
            }
        });
        read();
    }

    void read() {
        stream_->read_some(buffer_, [this](Result<size_t> bytes) {
            if (!bytes) return on_end(bytes.error());
            listen();
            if (auto fed = decoder_.feed(ByteView(buffer_).first(*bytes)); !fed) {
                return finish(std::move(fed));
            }
            if (!take_body() || decoder_.complete()) return finish({});
            read();
        });
    }

    void on_end(const Error& error) {
        // Over TLS the end must be told by a length or by chunks: anyone can cut a connection.
        const bool may_end = error.code == ErrorCode::connection_closed && !url_.tls;
        if (!may_end || !decoder_.header_complete()) return finish(error);
        auto ended = decoder_.feed_end();
        if (ended) take_body();
        finish(std::move(ended));
    }

    /// False where the caller wants no more.
    bool take_body() {
        if (!decoder_.header_complete()) return true;
        response_.status = decoder_.status();
        if (response_.headers.empty()) response_.headers = decoder_.headers();
        if (!std::exchange(is_head_told_, true) && request_.on_head &&
            !request_.on_head(response_.status, response_.headers)) {
            return false;
        }
        const std::string chunk = decoder_.take_body();
        if (!request_.on_body_chunk) {
            response_.body.append(chunk);
            return true;
        }
        return chunk.empty() || request_.on_body_chunk(chunk);
    }

    const HttpClientRequest& request_;
    Url url_;
    std::string head_;
    HttpResponseDecoder decoder_;
    Loop loop_;
    Timer silence_;
    std::optional<Result<TlsContext>> tls_;
    std::unique_ptr<Stream> stream_;
    std::array<uint8_t, 16u << 10> buffer_{};
    HttpClientResponse response_;
    bool is_head_told_ = false;
    Result<void> outcome_;
};

}  // namespace

Result<HttpClientResponse> http_fetch(const HttpClientRequest& request) {
    TT_TRY(Url url, parse_url(request.url));
    if (url.tls && !demands_verification(request)) {
        return fail(ErrorCode::channel_unbound,
                    to_string(url.address) + ": https needs a way to know the server");
    }
    const bool has_body =
        !request.body.empty() || request.method == "POST" || request.method == "PUT";
    TT_TRY(std::string head,
           encode_request_head(
               {.method = request.method,
                .headers = request.headers,
                .body_bytes = has_body ? std::optional(request.body.size()) : std::nullopt},
               url));
    return Fetch(request, std::move(url), std::move(head)).run();
}

}  // namespace teetee::net
