// SPDX-License-Identifier: Apache-2.0
#include "net/pcs_client.hpp"

#include <charconv>
#include <optional>

#include "attest/limits.hpp"
#include "base/jitter.hpp"
#include "net/address.hpp"

namespace teetee::net {
namespace {

constexpr Duration first_pause = std::chrono::seconds(1);
/// A list in hex, which is the longest that comes.
constexpr size_t answer_bytes_max = 2 * attest::crl_bytes_max + 2;

/// The next try may have another answer.
bool is_passing(int status) {
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/// What breaks off in the middle is malformed.
bool is_passing(ErrorCode code) {
    return code == ErrorCode::timed_out || code == ErrorCode::connect_failed ||
           code == ErrorCode::connection_closed || code == ErrorCode::http_malformed;
}

/// Retry-After in seconds (RFC 9110 section 10.2.3); its other form, a date, is passed over.
std::optional<Duration> retry_after(const HttpHeaders& headers) {
    const auto found = headers.find("retry-after");
    if (found == headers.end()) return std::nullopt;
    const std::string& text = found->second;
    uint32_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return std::chrono::seconds(seconds);
}

Error unavailable(const std::string& url, const std::string& detail) {
    return fail(ErrorCode::collateral_unavailable, url + ": " + detail);
}

/// What one try has come to.
struct Outcome {
    Result<HttpClientResponse> response;
    bool is_passing() const {
        return response ? net::is_passing(response->status)
                        : net::is_passing(response.error().code);
    }
};

/// What a status other than 200 means to who must do something about it.
std::string explain(const HttpClientResponse& response) {
    std::string text = "have HTTP status " + std::to_string(response.status) + ", need 200";
    if (response.status == 404) text += ": the service knows nothing of such a platform";
    if (response.status == 401 || response.status == 403) text += ": the service wants a key";
    return text;
}

}  // namespace

Result<PcsClient> PcsClient::create(PcsOptions options) {
    std::string& url = options.url;
    while (url.ends_with('/')) url.pop_back();
    for (const std::string_view ending : {"/sgx/certification/v4", "/tdx/certification/v4"}) {
        if (url.ends_with(ending)) url.resize(url.size() - ending.size());
    }
    TT_TRY(const Url parsed, parse_url(url));
    if (parsed.target.find('?') != std::string::npos || url.find('#') != std::string::npos) {
        return fail(ErrorCode::address_invalid,
                    quote_foreign(url) + ": have a query, need where a service begins");
    }
    return PcsClient(std::move(options));
}

std::string PcsClient::root_crl_url() const {
    if (options_.url == attest::intel_pcs_url) return std::string(attest::intel_root_crl_url);
    return options_.url + std::string(attest::pccs_root_crl_target);
}

Result<attest::PcsAnswer> PcsClient::ask(const std::string& url, const Caller& caller) const {
    HttpClientRequest request;
    request.url = url;
    request.headers["user-agent"] = "teetee";
    request.time_max = options_.time_max;
    request.response_bytes_max = answer_bytes_max;
    request.stop = caller.stop;
    if (url.starts_with("https:")) request.web_pki = WebPki{options_.ca_file};
    Duration pause = first_pause;
    for (size_t tries = 1;; ++tries) {
        Outcome outcome{http_fetch(request)};
        if (caller.stop.stop_requested()) return fail(ErrorCode::cancelled, url);
        auto& response = outcome.response;
        if (response && response->status == 200) {
            return attest::PcsAnswer{std::move(response->headers), std::move(response->body)};
        }
        const auto wish = response ? retry_after(response->headers) : std::nullopt;
        if (!outcome.is_passing() || tries == options_.tries_max ||
            (wish && *wish > options_.pause_max)) {
            return unavailable(url, response ? explain(*response) : response.error().message());
        }
        options_.wait(wish ? *wish : with_jitter(pause, caller.rng), caller.stop);
        pause *= 2;
    }
}

Result<attest::Collateral> PcsClient::fetch(const attest::PlatformId& platform,
                                            attest::TcbUpdate update, Rng& rng,
                                            const std::stop_token& stop) const {
    const Caller caller{rng, stop};
    const std::string& url = options_.url;
    attest::PcsAnswers answers;
    TT_TRY(answers.tcb_info, ask(url + attest::pcs_tcb_info_target(platform, update), caller));
    TT_TRY(answers.qe_identity,
           ask(url + attest::pcs_qe_identity_target(platform.tee, update), caller));
    TT_TRY(answers.pck_crl, ask(url + attest::pcs_pck_crl_target(platform.ca), caller));
    TT_TRY(answers.root_crl, ask(root_crl_url(), caller));
    auto collateral = attest::parse_pcs_answers(answers);
    if (!collateral) return in_context(url, std::move(collateral).error());
    return collateral;
}

}  // namespace teetee::net
