// SPDX-License-Identifier: Apache-2.0
#include "api/tenant.hpp"

#include <algorithm>
#include <string>

#include "crypto/hash.hpp"

namespace teetee::api {
namespace {

constexpr std::string_view scheme = "bearer ";

bool has_scheme(std::string_view value) {
    return value.size() > scheme.size() &&
           std::equal(scheme.begin(), scheme.end(), value.begin(), [](char want, char have) {
               return want == (have >= 'A' && have <= 'Z' ? have - 'A' + 'a' : have);
           });
}

/// The characters of b64token, which leave out the comma that joins repeated headers.
bool is_token_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
}

}  // namespace

std::optional<Digest> tenant_of(const net::HttpHeaders& headers) {
    const auto found = headers.find("authorization");
    if (found == headers.end() || !has_scheme(found->second)) return {};
    const std::string_view token = std::string_view(found->second).substr(scheme.size());
    if (token.empty() || !std::ranges::all_of(token, is_token_character)) return {};
    const std::string input = "teetee tenant\n" + std::string(token);
    return crypto::sha256(as_bytes(input));
}

}  // namespace teetee::api
