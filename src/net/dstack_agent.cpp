// SPDX-License-Identifier: Apache-2.0
#include "net/dstack_agent.hpp"

#include <openssl/crypto.h>

#include "attest/fresh_quote.hpp"
#include "attest/limits.hpp"
#include "net/http_client.hpp"

namespace teetee::net {

Error DstackAgent::in_agent(const Error& error) const {
    std::string advice;
    if (error.code == ErrorCode::not_found) {
        advice = "; mount it into the container: in the compose file volumes: [\"" +
                 options_.socket + ":" + options_.socket + "\"]";
    } else if (error.code == ErrorCode::connect_failed) {
        advice = "; is the agent running, and may this user open its socket?";
    }
    return fail(ErrorCode::evidence_unavailable, "dstack guest agent: " + error.detail + advice);
}

Result<std::string> DstackAgent::ask(const attest::DstackRequest& request) const {
    HttpClientRequest http;
    http.method = "POST";
    http.url = "http://localhost" + request.path;
    http.headers = {{"content-type", "application/json"}};
    http.body = request.body;
    http.time_max = options_.time_max;
    http.response_bytes_max = attest::dstack_answer_bytes_max;
    http.unix_socket = options_.socket;
    auto response = http_fetch(http);
    if (!response) return in_agent(response.error());
    if (response->status != 200) {
        return in_agent(fail(ErrorCode::evidence_unavailable,
                             options_.socket + ": " + request.path + ": have HTTP status " +
                                 std::to_string(response->status) + " and error " +
                                 attest::dstack_error(response->body) + ", need 200"));
    }
    return std::move(response->body);
}

Result<Bytes> DstackAgent::quote(const ByteArray<64>& report_data) {
    TT_TRY(const std::string answer, ask(attest::dstack_quote_request(options_.api, report_data)));
    auto quote = attest::parse_dstack_quote(answer);
    if (!quote) return in_agent(in_context(options_.socket, quote.error()));
    auto fresh = attest::take_fresh_quote(std::move(*quote), report_data);
    if (!fresh) return in_agent(in_context(options_.socket, fresh.error()));
    return fresh;
}

Result<crypto::Secret<32>> DstackAgent::sealing_key(std::string_view purpose) {
    TT_TRY(std::string answer, ask(attest::dstack_key_request(options_.api, purpose)));
    auto key = attest::parse_dstack_key(options_.api, answer, purpose);
    OPENSSL_cleanse(answer.data(), answer.size());
    if (!key) return in_agent(in_context(options_.socket, key.error()));
    return key;
}

}  // namespace teetee::net
