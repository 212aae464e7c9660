// SPDX-License-Identifier: Apache-2.0
#include "net/http_message.hpp"

#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace teetee::net {
namespace {

constexpr std::pair<int, std::string_view> reasons[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

}  // namespace

HttpResponse build_error_response(const HttpError& error) {
    boost::json::object inner;
    inner["message"] = std::string_view(error.message);
    inner["type"] = std::string_view(error.type);
    inner["code"] = std::string_view(error.code);
    boost::json::object outer;
    outer["error"] = std::move(inner);
    HttpResponse response;
    response.status = error.status;
    response.body = boost::json::serialize(outer);
    return response;
}

std::string_view http_reason(int status) {
    for (const auto& [number, reason] : reasons) {
        if (number == status) return reason;
    }
    return "Unknown";
}

}  // namespace teetee::net
