// SPDX-License-Identifier: Apache-2.0
#include "api/sealed_requests.hpp"

#include <algorithm>

#include "api/sealed_exchange.hpp"
#include "sealed/request.hpp"

namespace teetee::api {
namespace {

/// Where a request is sent whose own path nobody on the way is to see: it is a header inside.
constexpr std::string_view blind_path = "/sealed";

/// Empty, which is no path, where the header is missing.
std::string path_of(const net::HttpRequest& outer, const sealed::Headers& inner_headers) {
    if (outer.path != blind_path) return outer.path;
    const auto found = inner_headers.find("path");
    return found == inner_headers.end() ? std::string() : found->second;
}

}  // namespace

bool SealedRequests::is_sealed(const net::HttpRequest& request) {
    const auto found = request.headers.find("content-type");
    if (found == request.headers.end()) return false;
    const std::string_view type = std::string_view(found->second);
    return std::ranges::equal(
        type.substr(0, type.find_first_of("; ")), sealed::content_type, [](char have, char want) {
            return want == (have >= 'A' && have <= 'Z' ? have - 'A' + 'a' : have);
        });
}

Result<SealedRequests::Opened> SealedRequests::open(
    const net::HttpRequest& request, const std::shared_ptr<net::HttpExchange>& exchange) {
    TT_TRY(const auto envelope, sealed::parse_envelope(as_bytes(request.body)));
    if (!world_.node.has_statement(envelope.statement_hash)) {
        return fail(ErrorCode::sealed_key_unknown,
                    "the request is sealed to another statement than this entry's; "
                    "ask /attestation again");
    }
    auto opened = sealed::open_request(envelope, {.method = request.method, .path = request.path},
                                       world_.node.hpke_key());
    if (!opened && opened.error().code != ErrorCode::sealed_malformed) {
        return fail(ErrorCode::decrypt_failed,
                    "the request was not sealed to this entry for this path");
    }
    if (!opened) return opened.error();
    TT_CHECK(window_.admit(envelope.encapsulated_key,
                           {.sent_at = opened->request.sent_at, .now = world_.clock.unix_now()}));
    const std::string path = path_of(request, opened->request.headers);
    Opened out;
    out.request = {.method = request.method,
                   .target = path,
                   .path = path,
                   .query = {},
                   .headers = std::move(opened->request.headers),
                   .body = std::move(opened->request.body),
                   .remote = request.remote};
    out.exchange = std::make_shared<SealedExchange>(
        exchange, sealed::AnswerSealer(opened->answer_secret, world_.rng));
    return out;
}

}  // namespace teetee::api
