// SPDX-License-Identifier: Apache-2.0
#include "client/verified_entry.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "crypto/hash.hpp"
#include "net/address.hpp"
#include "sealed/answer.hpp"

namespace teetee::client {
namespace {

/// Of a whole answer.
constexpr Duration time_max = std::chrono::hours(1);
constexpr size_t beginning_bytes_max = 4096;
/// Of an answer in records of which each holds one token.
constexpr size_t sealed_answer_bytes_max = 256u << 20;
/// Far beyond any clock, and far from an overflow.
constexpr UnixSeconds entry_time_max = UnixSeconds{1} << 40;

/// The statement and the quote of one node, as /attestation shows them.
struct ShownEvidence {
    Bytes statement;
    Bytes quote;
};

Result<ShownEvidence> read_evidence(const boost::json::value& node) {
    const auto* object = node.if_object();
    const auto* statement = object == nullptr ? nullptr : object->if_contains("statement");
    const auto* quote = object == nullptr ? nullptr : object->if_contains("quote");
    if (statement == nullptr || quote == nullptr || !statement->is_string() ||
        !quote->is_string()) {
        return fail(ErrorCode::evidence_missing, "a node of the route shows no evidence");
    }
    ShownEvidence shown;
    TT_TRY(shown.statement, from_base64(statement->get_string()));
    TT_TRY(shown.quote, from_base64(quote->get_string()));
    return shown;
}

/// A refusal that came in the clear. Whoever wrote it, a terminal is to survive it.
Error refused_in_the_clear(std::string_view body) {
    boost::system::error_code failed;
    const auto value = boost::json::parse(body, failed);
    const auto text_at = [&](std::string_view place) {
        boost::system::error_code absent;
        const auto* text = failed ? nullptr : value.find_pointer(place, absent);
        return text != nullptr && text->is_string() ? quote_foreign(text->get_string())
                                                    : std::string("nothing");
    };
    return fail(ErrorCode::channel_unbound, "refused in the clear: " + text_at("/error/code") +
                                                ", " + text_at("/error/message"));
}

void keep_beginning(std::string& beginning, std::string_view chunk) {
    beginning += chunk.substr(0, beginning_bytes_max - beginning.size());
}

}  // namespace

Result<VerifiedEntry> VerifiedEntry::open(const EntryOptions& options) {
    TT_TRY(const auto url, net::parse_url(options.url));
    if (!url.tls && options.privacy == Privacy::attested_tls) {
        return fail(ErrorCode::address_invalid,
                    options.url + ": need https, the attested API, or --sealed");
    }
    VerifiedEntry entry(options);
    entry.tls_ = url.tls;
    return entry;
}

net::HttpClientRequest VerifiedEntry::request(std::string_view path) const {
    net::HttpClientRequest request;
    request.url = options_.url + std::string(path);
    request.time_max = time_max;
    request.silence_max = options_.silence_max;
    if (options_.privacy == Privacy::sealed) {
        // What is sealed may pass anybody's TLS.
        if (tls_) request.verify_certificate = [](ByteView) -> Result<void> { return {}; };
        return request;
    }
    request.verify_certificate = [this](ByteView der) -> Result<void> {
        const Terms& terms = *options_.terms;
        TT_TRY(const auto ra, attest::parse_ra_certificate(der));
        const auto collateral = attest::find_collateral(terms.collateral.get(), ra.evidence.quote);
        TT_TRY(const auto peer, attest::verify_peer(der, terms.expectation, terms.policy,
                                                    SystemClock().unix_now(), collateral.get()));
        if (peer.statement.layers.begin != 0)
            return fail(ErrorCode::shard_rejected, "this node is not an entry");
        return {};
    };
    return request;
}

Result<VerifiedEntry::Route> VerifiedEntry::verify_route() {
    ByteArray<32> nonce;
    SystemRng().fill(nonce);
    const bool wants_nonce = options_.privacy == Privacy::sealed;
    TT_TRY(const auto response,
           net::http_fetch(request(wants_nonce ? "/attestation?nonce=" + to_hex(nonce)
                                               : std::string("/attestation"))));
    if (response.status == 429)
        return fail(ErrorCode::not_ready, "the entry makes no fresh quote just now; try again");
    if (response.status != 200)
        return fail(ErrorCode::not_ready, "the entry has no complete route yet");
    boost::system::error_code failed;
    const auto body = boost::json::parse(response.body, failed);
    const auto* object = failed ? nullptr : body.if_object();
    const auto* nodes = object == nullptr ? nullptr : object->if_contains("nodes");
    if (nodes == nullptr || !nodes->is_array())
        return fail(ErrorCode::invalid_json, "/attestation is malformed");
    const UnixSeconds now = SystemClock().unix_now();
    const Terms& terms = *options_.terms;
    Route route;
    LayerRange last;
    for (const auto& node : nodes->as_array()) {
        TT_TRY(const auto shown, read_evidence(node));
        attest::EvidenceView evidence{shown.statement, shown.quote, std::nullopt};
        const bool is_entry = last.end == 0;
        if (is_entry && wants_nonce) evidence.nonce = nonce;
        const auto collateral = attest::find_collateral(terms.collateral.get(), shown.quote);
        TT_TRY(const auto peer, attest::verify_evidence(evidence, terms.expectation, terms.policy,
                                                        now, collateral.get()));
        const LayerRange layers = peer.statement.layers;
        // In the order of their layers; the nodes of one slot follow each other.
        if (layers.begin != last.end && layers != last)
            return fail(ErrorCode::shard_rejected, "the route leaves out layers");
        if (is_entry) {
            recipient_ = {peer.statement.hpke_key, crypto::sha256(shown.statement)};
            receipt_address_ = peer.statement.receipt_address;
        }
        last = layers;
        ++route.node_count;
        route.simulated = route.simulated || peer.simulated;
    }
    if (last.end != terms.layer_count)
        return fail(ErrorCode::shard_rejected, "the route leaves out layers");
    // Nobody vouches for the time; a wrong one makes the entry refuse, and nothing else.
    const auto* time = object->if_contains("time");
    if (time != nullptr && time->is_int64() && time->get_int64() > 0 &&
        time->get_int64() < entry_time_max) {
        clock_offset_s_ = time->get_int64() - now;
    }
    return route;
}

Result<VerifiedEntry::Answer> VerifiedEntry::send(Call call) const {
    const bool is_sealed = options_.privacy == Privacy::sealed;
    if (!is_sealed || call.method == "POST") {
        net::HttpClientRequest http = request(call.path);
        http.method = call.method;
        http.headers = std::move(call.headers);
        http.body = std::move(call.body);
        http.stop = call.stop;
        return is_sealed ? send_sealed(std::move(http), call) : send_plain(std::move(http), call);
    }
    if (call.method != "GET") {
        return fail(ErrorCode::unsupported,
                    "only GET and POST can be sealed, not " + quote_foreign(call.method));
    }
    // A path may be worth as much as what is found there.
    constexpr std::string_view blind_path = "/sealed";
    net::HttpClientRequest http = request(blind_path);
    http.method = "POST";
    http.headers = std::move(call.headers);
    http.headers["path"] = call.path;
    http.stop = call.stop;
    call.path = blind_path;
    return send_sealed(std::move(http), call);
}

Result<VerifiedEntry::Answer> VerifiedEntry::post(std::string_view path, const std::string& body,
                                                  const net::HttpHeaders& headers,
                                                  const OnBody& on_body) const {
    Call call{.method = "POST", .path = path, .body = body, .headers = headers, .on_body = on_body};
    call.headers["content-type"] = "application/json";
    return send(std::move(call));
}

Result<VerifiedEntry::Answer> VerifiedEntry::get(std::string_view path,
                                                 const OnBody& on_body) const {
    return send({.path = path, .on_body = on_body});
}

Result<VerifiedEntry::Answer> VerifiedEntry::send_plain(net::HttpClientRequest http,
                                                        const Call& call) const {
    Answer answer;
    http.on_head = [&](int status, const net::HttpHeaders& headers) {
        answer.status = status;
        answer.headers = headers;
        if (call.on_head) call.on_head(answer);
        return true;
    };
    http.on_body_chunk = [&](std::string_view chunk) {
        keep_beginning(answer.beginning, chunk);
        return call.on_body(chunk);
    };
    TT_CHECK(net::http_fetch(http));
    return answer;
}

Result<VerifiedEntry::Answer> VerifiedEntry::send_sealed(net::HttpClientRequest http,
                                                         const Call& call) const {
    // The query is not bound, and goes with the path.
    const std::string_view path = call.path.substr(0, call.path.find('?'));
    sealed::Request inner{.sent_at = SystemClock().unix_now() + clock_offset_s_,
                          .headers = std::move(http.headers),
                          .body = std::move(http.body)};
    SystemRng rng;
    TT_TRY(auto sealed_request,
           sealed::seal_request(recipient_, {.method = http.method, .path = path}, inner, rng));
    http.headers = {{"content-type", std::string(sealed::content_type)}};
    http.body = as_text(sealed_request.body);
    http.response_bytes_max = sealed_answer_bytes_max;

    sealed::AnswerOpener opener(std::move(sealed_request.answer_secret));
    Answer answer;
    std::string outside;
    bool wants_more = true;
    http.on_body_chunk = [&](std::string_view chunk) {
        keep_beginning(outside, chunk);
        const auto piece = opener.feed(as_bytes(chunk));
        if (!piece) return false;
        if (opener.head() && answer.status == 0) {
            answer.status = opener.head()->status;
            answer.headers = {opener.head()->headers.begin(), opener.head()->headers.end()};
            if (call.on_head) call.on_head(answer);
        }
        keep_beginning(answer.beginning, *piece);
        // Read to the final record in any case: without it the answer is none.
        if (!piece->empty()) wants_more = wants_more && call.on_body(*piece);
        return true;
    };
    const auto response = net::http_fetch(http);
    if (response && response->status != 200) return refused_in_the_clear(outside);
    if (const auto ended = opener.feed_end(); !ended) {
        const bool is_cut = ended.error().code == ErrorCode::sealed_truncated;
        return is_cut && !response ? response.error() : ended.error();
    }
    return answer;
}

}  // namespace teetee::client
