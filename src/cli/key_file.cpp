// SPDX-License-Identifier: Apache-2.0
#include "cli/key_file.hpp"

#include "net/api_key_file.hpp"
#include "net/file.hpp"
#include "proxy/limits.hpp"

namespace teetee::cli {

Result<std::string> read_key_file(const std::string& path) {
    TT_TRY(const auto text, net::read_file(path, proxy::key_bytes_max + 2));
    std::string key(as_text(text));
    while (key.ends_with('\n') || key.ends_with('\r')) key.pop_back();
    const net::HttpHeaders shown = {{"authorization", "Bearer " + key}};
    if (key.size() > proxy::key_bytes_max || net::bearer_token(shown) != key)
        return fail(ErrorCode::config_invalid, path + ": need one key");
    return key;
}

}  // namespace teetee::cli
