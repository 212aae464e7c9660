// SPDX-License-Identifier: Apache-2.0
#include "api/tenant.hpp"

#include <string>

#include "crypto/hash.hpp"
#include "net/api_key_file.hpp"

namespace teetee::api {

std::optional<Digest> tenant_of(const net::HttpHeaders& headers) {
    const auto token = net::bearer_token(headers);
    if (!token) return {};
    const std::string input = "teetee tenant\n" + std::string(*token);
    return crypto::sha256(as_bytes(input));
}

}  // namespace teetee::api
