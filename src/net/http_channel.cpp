// SPDX-License-Identifier: Apache-2.0
#include "net/http_channel.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "net/http_request_head.hpp"
#include "net/stream.hpp"

namespace teetee::net {
namespace {

constexpr size_t response_header_bytes_max = 64u << 10;

using Buffer = std::array<uint8_t, 16u << 10>;

struct Post {
    uint64_t id = 0;
    std::string body;
    HttpChannel::Done done;
    Timer deadline{};
    /// It was lost with a connection that had been kept.
    bool is_repeated = false;
};

}  // namespace

struct HttpChannel::Impl : std::enable_shared_from_this<HttpChannel::Impl> {
    Impl(Loop& chosen_loop, HttpChannelOptions chosen, Url chosen_url)
        : loop(chosen_loop), options(std::move(chosen)), url(std::move(chosen_url)) {}

    void post(std::string body, Done done);
    void close();

    void pump();
    void dial();
    void on_connected(Result<std::unique_ptr<Stream>> connected);
    void on_secured(Result<void> secured);
    void ask();
    void read();
    void on_read(Result<size_t> bytes);
    void on_lost(const Error& error);
    void on_late(uint64_t id);
    void finish(Result<HttpClientResponse> outcome);
    /// A callback of what is connected now, and of nothing that came before it.
    template <class Call>
    auto while_connected(Call call);

    Loop& loop;
    HttpChannelOptions options;
    Url url;
    std::optional<TlsContext> tls;
    std::deque<Post> queue;
    uint64_t next_id = 1;
    /// The queue's front is under way.
    bool is_busy = false;
    std::unique_ptr<Stream> stream;
    /// Answers that came over the stream.
    size_t answered = 0;
    uint64_t generation = 0;
    size_t connections = 0;
    std::optional<HttpResponseDecoder> decoder;
    bool answer_began = false;
    /// The stream's own.
    std::shared_ptr<Buffer> buffer;
    HttpClientResponse response;
};

template <class Call>
auto HttpChannel::Impl::while_connected(Call call) {
    return [self = shared_from_this(), began = generation, call](auto result) {
        if (self->generation == began) (self.get()->*call)(std::move(result));
    };
}

void HttpChannel::Impl::post(std::string text, Done done) {
    if (queue.size() >= options.queue_max) {
        loop.post([done = std::move(done)] {
            done(fail(ErrorCode::overloaded, "requests that wait for a server"));
        });
        return;
    }
    const uint64_t id = next_id++;
    queue.push_back({.id = id, .body = std::move(text), .done = std::move(done)});
    queue.back().deadline = loop.call_after(options.time_max, [this, id] { on_late(id); });
    // So that nothing is called back inside this call.
    loop.post([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->pump();
    });
}

void HttpChannel::Impl::close() {
    ++generation;
    queue.clear();
    is_busy = false;
    stream.reset();
}

void HttpChannel::Impl::pump() {
    if (is_busy || queue.empty()) return;
    is_busy = true;
    if (stream) return ask();
    dial();
}

void HttpChannel::Impl::dial() {
    ++generation;
    stream.reset();
    answered = 0;
    connect(loop, url.address, std::min(options.connect_time_max, options.time_max),
            while_connected(&Impl::on_connected));
}

void HttpChannel::Impl::on_connected(Result<std::unique_ptr<Stream>> connected) {
    if (!connected) return finish(std::move(connected).error());
    stream = std::move(*connected);
    buffer = std::make_shared<Buffer>();
    ++connections;
    if (!tls) return ask();
    stream->handshake(*tls, TlsSide::client, while_connected(&Impl::on_secured));
}

void HttpChannel::Impl::on_secured(Result<void> secured) {
    if (!secured) return finish(in_context("TLS", secured.error()));
    ask();
}

void HttpChannel::Impl::ask() {
    const std::string& body = queue.front().body;
    auto request = encode_request_head({.method = "POST",
                                        .headers = options.headers,
                                        .body_bytes = body.size(),
                                        .keep_alive = true},
                                       url);
    if (!request) return finish(request.error());
    answer_began = false;
    response = {};
    decoder.emplace(
        HttpResponseDecoder::Options{.limits = {.header_bytes_max = response_header_bytes_max,
                                                .body_bytes_max = options.response_bytes_max}});
    const auto sent = std::make_shared<const std::string>(*request + body);
    // What reading says of a lost connection is enough.
    stream->write(as_bytes(*sent), {}, [sent](Result<void>) {});
    read();
}

void HttpChannel::Impl::read() {
    stream->read_some(*buffer, [own = buffer, taken = while_connected(&Impl::on_read)](
                                   Result<size_t> bytes) { taken(std::move(bytes)); });
}

void HttpChannel::Impl::on_read(Result<size_t> bytes) {
    if (!bytes) return on_lost(bytes.error());
    answer_began = true;
    if (auto fed = decoder->feed(ByteView(*buffer).first(*bytes)); !fed)
        return finish(std::move(fed).error());
    response.body += decoder->take_body();
    if (!decoder->complete()) return read();
    response.status = decoder->status();
    response.headers = decoder->headers();
    ++answered;
    if (!decoder->keeps_alive()) {
        ++generation;
        stream.reset();
    }
    finish(std::move(response));
}

void HttpChannel::Impl::on_lost(const Error& error) {
    Post& post = queue.front();
    if (!answer_began && answered > 0 && !std::exchange(post.is_repeated, true)) return dial();
    // Over TLS the end must be told by a length or by chunks: anyone can cut a connection.
    const bool may_end = error.code == ErrorCode::connection_closed && !url.tls && answer_began;
    if (!may_end || !decoder->header_complete()) return finish(error);
    if (auto ended = decoder->feed_end(); !ended) return finish(std::move(ended).error());
    response.body += decoder->take_body();
    response.status = decoder->status();
    response.headers = decoder->headers();
    ++generation;
    stream.reset();
    finish(std::move(response));
}

void HttpChannel::Impl::on_late(uint64_t id) {
    const auto found = std::ranges::find(queue, id, &Post::id);
    if (found == queue.end()) return;
    const Error late = fail(ErrorCode::timed_out, to_string(url.address) + ": no answer in time");
    if (is_busy && found == queue.begin()) return finish(late);
    const Done done = std::move(found->done);
    queue.erase(found);
    done(late);
}

void HttpChannel::Impl::finish(Result<HttpClientResponse> outcome) {
    // An answer that was waited for in vain may still come: not over a connection that is used on.
    if (!outcome) {
        ++generation;
        stream.reset();
        outcome = in_context(to_string(url.address), std::move(outcome).error());
    }
    const Post post = std::move(queue.front());
    queue.pop_front();
    is_busy = false;
    const auto self = shared_from_this();
    post.done(std::move(outcome));
    pump();
}

Result<std::unique_ptr<HttpChannel>> HttpChannel::build(Loop& loop, HttpChannelOptions options) {
    TT_TRY(Url url, parse_url(options.url));
    if (url.tls != options.web_pki.has_value()) {
        return fail(ErrorCode::channel_unbound,
                    to_string(url.address) + (url.tls ? ": https needs a way to know the server"
                                                      : ": have http, need https to be verified"));
    }
    TT_CHECK(encode_request_head({.method = "POST", .headers = options.headers}, url));
    auto impl = std::make_shared<Impl>(loop, std::move(options), std::move(url));
    if (impl->url.tls) {
        TT_TRY(TlsContext context, TlsContext::build_web_client(
                                       {impl->url.address.host, impl->options.web_pki->ca_file}));
        impl->tls = std::move(context);
    }
    return std::unique_ptr<HttpChannel>(new HttpChannel(std::move(impl)));
}

HttpChannel::~HttpChannel() {
    impl_->close();
}

void HttpChannel::post(std::string body, Done done) {
    impl_->post(std::move(body), std::move(done));
}

size_t HttpChannel::connections() const {
    return impl_->connections;
}

}  // namespace teetee::net
