// SPDX-License-Identifier: Apache-2.0
#include "api/chain_views.hpp"

#include <boost/json/array.hpp>

namespace teetee::api {

boost::json::value chain_view(const ChainWindow* chain) {
    if (chain == nullptr) return nullptr;
    boost::json::array urls;
    for (const std::string& url : chain->rpc_urls) urls.emplace_back(url);
    return boost::json::object{{"chain_id", chain->deployment.chain_id},
                               {"contract", chain::to_checksum_text(chain->deployment.contract)},
                               {"from_block", chain->from_block},
                               {"pool", chain->pool},
                               {"rpc_urls", std::move(urls)}};
}

}  // namespace teetee::api
