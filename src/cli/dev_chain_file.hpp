// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/request.hpp"
#include "base/result.hpp"

namespace teetee::cli {

/// On which chain `teetee up` has its network, for the commands that find it by its port.
struct DevChainFile {
    std::string rpc_url;
    uint64_t pool = 0;
    bool operator==(const DevChainFile&) const = default;
};

/// One JSON object: {"version": 1, "rpc_url", "pool"}, the URL http or https, the pool above 0. No
/// other member. Errors: config_invalid naming the member, what it has and what it needs.
Result<DevChainFile> parse_dev_chain_file(std::string_view text);
std::string encode_dev_chain_file(const DevChainFile& file);

// What commands print with --json; other members are passed over. Errors as above.

/// Of `pool create`: the pool's number.
Result<uint64_t> parse_created_pool(std::string_view text);
/// Of `voucher open`: the voucher's id.
Result<Digest> parse_opened_voucher(std::string_view text);

}  // namespace teetee::cli
