// SPDX-License-Identifier: Apache-2.0
#include "api/chain_views.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <gtest/gtest.h>

namespace teetee::api {
namespace {

TEST(chain_views, a_page_is_told_where_the_contract_is) {
    EXPECT_TRUE(chain_view(nullptr).is_null());
    const ChainWindow chain = {.deployment = {.chain_id = 84532, .contract = {7}},
                               .from_block = 7,
                               .pool = 1,
                               .rpc_urls = {"https://rpc.example"}};
    const auto told = chain_view(&chain).as_object();
    EXPECT_EQ(told.at("chain_id").to_number<uint64_t>(), 84532u);
    EXPECT_EQ(told.at("contract").as_string(), chain::to_checksum_text({7}));
    EXPECT_EQ(told.at("from_block").to_number<uint64_t>(), 7u);
    EXPECT_EQ(told.at("pool").to_number<uint64_t>(), 1u);
    EXPECT_EQ(told.at("rpc_urls").at(0).as_string(), "https://rpc.example");
}

}  // namespace
}  // namespace teetee::api
