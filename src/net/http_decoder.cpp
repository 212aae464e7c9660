// SPDX-License-Identifier: Apache-2.0
#include "net/http_decoder.hpp"

#include <algorithm>
#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/string_body.hpp>

namespace teetee::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using SystemError = boost::system::error_code;

namespace {

Error malformed(std::string detail) {
    return fail(ErrorCode::http_malformed, "HTTP: " + std::move(detail));
}

Error parser_error(const SystemError& error, const HttpLimits& limits) {
    if (error == http::error::body_limit) {
        return fail(ErrorCode::body_too_large,
                    "HTTP body: need at most " + std::to_string(limits.body_bytes_max) + " bytes");
    }
    if (error == http::error::header_limit) {
        return fail(
            ErrorCode::limit_exceeded,
            "HTTP header: need at most " + std::to_string(limits.header_bytes_max) + " bytes");
    }
    return malformed(error.message());
}

/// Beast wants each line of the header whole, so what it leaves is shown to it again.
template <class Parser>
Result<void> advance(Parser& parser, std::string& unread, const HttpLimits& limits) {
    size_t consumed = 0;
    SystemError error;
    while (!parser.is_done() && consumed < unread.size()) {
        consumed +=
            parser.put(asio::buffer(unread.data() + consumed, unread.size() - consumed), error);
        if (error) break;
    }
    unread.erase(0, consumed);
    if (error && error != http::error::need_more) return parser_error(error, limits);
    // Beast bounds header and body, but waits for the end of a chunk's extension or of a trailer
    // however long it is.
    if (!parser.is_done() && unread.size() > limits.header_bytes_max) {
        return parser_error(http::error::header_limit, limits);
    }
    return {};
}

HttpHeaders headers_of(const http::fields& fields) {
    HttpHeaders out;
    for (const auto& field : fields) {
        std::string name(field.name_string());
        std::transform(name.begin(), name.end(), name.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        const auto [at, inserted] = out.try_emplace(std::move(name), field.value());
        if (!inserted) at->second.append(", ").append(field.value());
    }
    return out;
}

/// A body that takes memory as it comes, and not at once what its length promises.
struct GrowingBody {
    using value_type = std::string;

    class reader {
      public:
        template <bool is_request, class Fields>
        reader(http::header<is_request, Fields>&, std::string& body) : body_(body) {}

        static void init(const boost::optional<uint64_t>&, SystemError& error) { error = {}; }
        template <class Buffers>
        size_t put(const Buffers& buffers, SystemError& error) {
            error = {};
            const size_t before = body_.size();
            for (auto at = asio::buffer_sequence_begin(buffers);
                 at != asio::buffer_sequence_end(buffers); ++at) {
                const asio::const_buffer buffer = *at;
                body_.append(static_cast<const char*>(buffer.data()), buffer.size());
            }
            return body_.size() - before;
        }
        static void finish(SystemError& error) { error = {}; }

      private:
        std::string& body_;
    };
};

template <class Parser>
void prepare(std::optional<Parser>& parser, const HttpLimits& limits) {
    parser.emplace();
    parser->eager(true);
    parser->header_limit(static_cast<uint32_t>(limits.header_bytes_max));
    parser->body_limit(limits.body_bytes_max);
}

Result<void> check_request(const http::request<http::string_body>& request) {
    const auto target = request.target();
    const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
    if (target.empty() || (target.front() != '/' && target != "*") ||
        !std::all_of(target.begin(), target.end(), visible)) {
        return malformed("request target: need '/...'");
    }
    const auto host_count = request.count(http::field::host);
    if (host_count > 1 || (host_count == 0 && request.version() >= 11)) {
        return malformed("have " + std::to_string(host_count) + " Host fields, need one");
    }
    const auto codings = request.count(http::field::transfer_encoding);
    if (codings > 1 || (codings == 1 && !boost::beast::iequals(
                                            request[http::field::transfer_encoding], "chunked"))) {
        return malformed("transfer coding: only chunked is understood");
    }
    return {};
}

}  // namespace

struct HttpRequestDecoder::Impl {
    explicit Impl(HttpLimits chosen) : limits(chosen) { prepare(parser, limits); }

    HttpLimits limits;
    std::optional<http::request_parser<http::string_body>> parser;
    std::string unread;
    bool header_checked = false;
    /// Of the request whose header is not done: what has come, read or not.
    size_t header_fed_bytes = 0;

    /// Beast forgets the lines that it has read, so the header as a whole is counted here.
    size_t header_bytes() const {
        const size_t read_bytes = header_fed_bytes - unread.size();
        // The lines before were read, and the empty one that ends the header comes next.
        if (read_bytes > 0 && unread.starts_with("\r\n")) return read_bytes;
        return read_bytes + std::min(unread.find("\r\n\r\n"), unread.size());
    }
};

HttpRequestDecoder::HttpRequestDecoder(HttpLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
HttpRequestDecoder::~HttpRequestDecoder() = default;

Result<HttpRequestDecoder::State> HttpRequestDecoder::feed(ByteView bytes) {
    impl_->unread.append(as_text(bytes));
    if (!impl_->parser->is_header_done()) {
        impl_->header_fed_bytes += bytes.size();
        if (impl_->header_bytes() > impl_->limits.header_bytes_max)
            return parser_error(http::error::header_limit, impl_->limits);
    }
    TT_CHECK(advance(*impl_->parser, impl_->unread, impl_->limits));
    if (impl_->parser->is_header_done() && !impl_->header_checked) {
        TT_CHECK(check_request(impl_->parser->get()));
        impl_->header_checked = true;
    }
    return state();
}

HttpRequestDecoder::State HttpRequestDecoder::state() const {
    if (impl_->parser->is_done()) return State::complete;
    return impl_->parser->is_header_done() ? State::body : State::header;
}

size_t HttpRequestDecoder::unread_bytes() const {
    return impl_->unread.size();
}

bool HttpRequestDecoder::expects_continue() const {
    return impl_->parser->is_header_done() && impl_->parser->get().version() >= 11 &&
           boost::beast::iequals(impl_->parser->get()[http::field::expect], "100-continue");
}

HttpRequestDecoder::Taken HttpRequestDecoder::take() {
    TT_ASSERT(state() == State::complete);
    auto message = impl_->parser->release();
    Taken out;
    out.keep_alive = message.keep_alive();
    out.chunks_allowed = message.version() >= 11;
    out.request.method = message.method_string();
    out.request.target = message.target();
    const size_t question = out.request.target.find('?');
    out.request.path = out.request.target.substr(0, question);
    if (question != std::string::npos) out.request.query = out.request.target.substr(question + 1);
    out.request.headers = headers_of(message);
    out.request.body = std::move(message.body());
    prepare(impl_->parser, impl_->limits);
    impl_->header_checked = false;
    impl_->header_fed_bytes = impl_->unread.size();
    return out;
}

struct HttpResponseDecoder::Impl {
    explicit Impl(Options chosen) : options(chosen) { restart(); }

    Options options;
    std::optional<http::response_parser<GrowingBody>> parser;
    std::string unread;

    void restart() {
        prepare(parser, options.limits);
        parser->skip(options.head);
    }
    bool interim() const { return parser->is_done() && parser->get().result_int() / 100 == 1; }
};

HttpResponseDecoder::HttpResponseDecoder(Options options)
    : impl_(std::make_unique<Impl>(options)) {}
HttpResponseDecoder::~HttpResponseDecoder() = default;

Result<void> HttpResponseDecoder::feed(ByteView bytes) {
    impl_->unread.append(as_text(bytes));
    TT_CHECK(advance(*impl_->parser, impl_->unread, impl_->options.limits));
    while (impl_->interim()) {
        impl_->restart();
        TT_CHECK(advance(*impl_->parser, impl_->unread, impl_->options.limits));
    }
    return {};
}

Result<void> HttpResponseDecoder::feed_end() {
    if (complete()) return {};
    SystemError error;
    impl_->parser->put_eof(error);
    if (error) return parser_error(error, impl_->options.limits);
    if (!complete()) return malformed("the connection ended before the response did");
    return {};
}

bool HttpResponseDecoder::header_complete() const {
    return impl_->parser->is_header_done() && impl_->parser->get().result_int() / 100 != 1;
}

bool HttpResponseDecoder::complete() const {
    return header_complete() && impl_->parser->is_done();
}

bool HttpResponseDecoder::keeps_alive() const {
    return complete() && impl_->unread.empty() && impl_->parser->keep_alive();
}

int HttpResponseDecoder::status() const {
    return static_cast<int>(impl_->parser->get().result_int());
}

HttpHeaders HttpResponseDecoder::headers() const {
    return headers_of(impl_->parser->get());
}

std::string HttpResponseDecoder::take_body() {
    return std::exchange(impl_->parser->get().body(), {});
}

}  // namespace teetee::net
