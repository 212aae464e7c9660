// SPDX-License-Identifier: Apache-2.0
#include "hub/web.hpp"

#include <algorithm>

#include "hub/headers.hpp"
#include "net/http_client.hpp"
#include "net/rest.hpp"

namespace teetee::hub {
namespace {

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// Of the first answer that has them: later ones are those of other servers.
void note_linked(const net::HttpHeaders& headers, net::HttpHeaders& linked) {
    if (!linked.empty()) return;
    for (const std::string_view name : {"x-linked-etag", "x-linked-size", "x-repo-commit"}) {
        const auto value = field(headers, name);
        if (!value.empty()) linked.emplace(name, value);
    }
}

}  // namespace

Result<std::string> clean_token(std::string_view text) {
    constexpr std::string_view spaces = " \t\r\n";
    const size_t first = text.find_first_not_of(spaces);
    if (first == text.npos) return std::string();
    text = text.substr(first, text.find_last_not_of(spaces) - first + 1);
    const auto allowed = [](char c) { return c > 0x20 && c < 0x7f; };
    if (text.size() > token_bytes_max || !std::ranges::all_of(text, allowed)) {
        return fail(ErrorCode::invalid_argument,
                    "token: have something else than one word of ASCII");
    }
    return std::string(text);
}

net::HttpHeaders Web::headers_for(const std::string& url, const net::HttpHeaders& asked) const {
    net::HttpHeaders headers = asked;
    headers["user-agent"] = "teetee";
    // The bytes as they are: ranges of a compressed body are no ranges of the file.
    headers["accept-encoding"] = "identity";
    const auto origin = origin_of(url);
    if (!options_.token.empty() && origin && *origin == options_.token_origin) {
        headers["authorization"] = "Bearer " + options_.token;
    }
    return headers;
}

Failure Web::failure_of(const WebRequest& request, const WebAnswer& answer) const {
    Failure out = failure_of_status(answer.status, answer.headers, clock_.unix_now());
    const auto asked = origin_of(request.url);
    const auto answered = origin_of(answer.url);
    const bool was_sent_on = asked && answered && *asked != *answered;
    if (was_sent_on && (answer.status == 401 || answer.status == 403)) out.is_passing = true;
    return out;
}

Result<WebAnswer> Web::ask(const WebRequest& request) const {
    WebAnswer out{.url = request.url};
    for (size_t redirects = 0;; ++redirects) {
        net::HttpClientRequest ask;
        ask.url = out.url;
        ask.headers = headers_for(out.url, request.headers);
        ask.connect_time_max = std::chrono::seconds(15);
        ask.time_max = request.time_max;
        ask.silence_max = options_.silence_max;
        ask.response_bytes_max = request.body_bytes_max;
        ask.stop = request.stop;
        if (out.url.starts_with("https:")) ask.web_pki = net::WebPki{options_.ca_file};
        ask.on_head = [&](int status, const net::HttpHeaders& headers) {
            note_linked(headers, out.linked);
            if (is_redirect(status)) return false;
            out.status = status;
            out.headers = headers;
            return !request.on_header || request.on_header(out);
        };
        ask.on_body_chunk = request.on_body_chunk;
        TT_TRY(auto response, net::http_fetch(ask));
        if (!is_redirect(response.status)) {
            out.body = std::move(response.body);
            return out;
        }
        if (redirects == redirects_max) {
            return fail(ErrorCode::hub_refused,
                        "it was sent on more than " + std::to_string(redirects_max) + " times");
        }
        TT_TRY(out.url, resolve_location(out.url, field(response.headers, "location")));
    }
}

Result<WebAnswer> Web::ask_patiently(const WebRequest& request) const {
    Retry retry(options_.retry, rng_);
    WebRequest one = request;
    one.stop = options_.stop;
    while (true) {
        auto answer = ask(one);
        if (options_.stop.stop_requested()) return fail(ErrorCode::cancelled, "while asking");
        const Failure failure =
            answer ? failure_of(one, *answer) : failure_of_error(answer.error());
        if (answer && !failure.is_passing) return answer;
        TT_TRY(const Duration pause, retry.pause_after(failure));
        if (options_.on_wait) options_.on_wait(failure, pause);
        net::wait_for(pause, options_.stop);
    }
}

}  // namespace teetee::hub
