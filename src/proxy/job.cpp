// SPDX-License-Identifier: Apache-2.0
#include "proxy/job.hpp"

#include <algorithm>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "net/error_status.hpp"

namespace teetee::proxy {
namespace {

struct Kind {
    int status = 502;
    std::string_view type = "server_error";
};

Kind kind_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::payment_required:
        case ErrorCode::voucher_unknown:
        case ErrorCode::voucher_ended:
        case ErrorCode::voucher_exhausted:
            return {402, "payment_error"};
        case ErrorCode::sign_in_rejected:
            return {401, "authentication_error"};
        case ErrorCode::host_unknown:
            return {403, "permission_error"};
        case ErrorCode::overloaded:
            return {429, "overloaded_error"};
        case ErrorCode::connect_failed:
        case ErrorCode::connection_closed:
        case ErrorCode::not_ready:
        case ErrorCode::route_unavailable:
            return {503, "server_error"};
        case ErrorCode::timed_out:
        case ErrorCode::deadline_exceeded:
            return {504, "server_error"};
        case ErrorCode::unsupported:
            return {405, "invalid_request_error"};
        default:
            return {502, "server_error"};
    }
}

boost::json::object error_body(const Error& error) {
    return {{"error",
             {{"message", "serve-local: " + error.detail},
              {"type", kind_of(error.code).type},
              {"code", to_string(error.code)}}}};
}

/// Of this connection, or for another one than the application's.
bool is_of_the_hop(std::string_view name) {
    constexpr std::string_view names[] = {"connection",
                                          "content-length",
                                          "date",
                                          "keep-alive",
                                          "proxy-authenticate",
                                          "proxy-connection",
                                          "server",
                                          "set-cookie",
                                          "trailer",
                                          "transfer-encoding",
                                          "content-type",
                                          "upgrade",
                                          "te",
                                          "host",
                                          "strict-transport-security",
                                          "alt-svc"};
    return std::ranges::count(names, name) > 0 || name.starts_with("access-control-");
}

}  // namespace

net::HttpHeaders headers_of(const Job& job, const client::Entries::Opened& entry) {
    net::HttpHeaders out = job.page_headers;
    out["teetee-entry"] = entry.entry.url();
    out["teetee-verified"] =
        fmt::format("nodes={}, at={}", entry.route.node_count, entry.verified_at);
    out["teetee-simulated"] = entry.route.simulated ? "true" : "false";
    return out;
}

net::HttpHeaders entry_headers(const Job& job) {
    net::HttpHeaders out;
    for (const std::string_view name : {"content-type", "accept"}) {
        const auto found = job.request.headers.find(name);
        if (found != job.request.headers.end()) out.emplace(name, found->second);
    }
    if (!job.authorization.empty()) out["authorization"] = "Bearer " + job.authorization;
    return out;
}

net::HttpHeaders passed_headers(const net::HttpHeaders& headers) {
    net::HttpHeaders out = headers;
    std::erase_if(out, [](const auto& field) { return is_of_the_hop(field.first); });
    return out;
}

int status_of(const client::Refusal& refusal) {
    if (refusal.status != 0) return refusal.status;
    const auto said = client::read_entry_error(refusal.body).said;
    const auto* code = said.if_contains("code");
    const auto* name = code == nullptr ? nullptr : code->if_string();
    const auto known = name == nullptr ? std::nullopt : error_code_named(*name);
    return known ? net::status_for(*known).status : 502;
}

void respond_failure(Job& job, const Error& error, const std::optional<client::Refusal>& refusal) {
    net::HttpResponse response;
    response.headers = job.page_headers;
    if (refusal && refusal->status != 0) {
        response.status = status_of(*refusal);
        response.headers.merge(passed_headers(refusal->headers));
        const auto type = refusal->headers.find("content-type");
        if (type != refusal->headers.end()) response.content_type = type->second;
        response.body = refusal->body;
    } else if (refusal) {
        response.status = status_of(*refusal);
        response.body = refusal->body + "\n";
    } else {
        response.status = kind_of(error.code).status;
        response.body = boost::json::serialize(error_body(error)) + "\n";
    }
    if (response.status == 429 || response.status == 503)
        response.headers.emplace("retry-after", "1");
    job.counters.add(&Counters::Counts::failed);
    job.writer.respond(std::move(response));
}

void end_stream_with(Job& job, const Error& error, const std::optional<client::Refusal>& refusal) {
    const std::string body = refusal ? refusal->body : boost::json::serialize(error_body(error));
    // Of several lines the event would be another one.
    if (body.find('\n') == std::string::npos)
        job.writer.write("event: error\ndata: " + body + "\n\n");
    job.counters.add(&Counters::Counts::failed);
}

}  // namespace teetee::proxy
