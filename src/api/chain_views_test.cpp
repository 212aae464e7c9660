// SPDX-License-Identifier: Apache-2.0
#include "api/chain_views.hpp"

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

#include "api/limits.hpp"
#include "billing/test_world.hpp"

namespace teetee::api {
namespace {

class chain_views : public testing::Test {
  protected:
    ChainWindow window() const {
        return {.deployment = billing::test::deployment,
                .from_block = 7,
                .pool = 1,
                .rpc_urls = {"https://rpc.example"},
                .state = [this]() -> const chain::ContractState& { return contract.state; },
                .block = [this] { return contract.block; }};
    }
    boost::json::object ask(std::string_view query = "",
                            UnixSeconds now = chain::test_start + 10) const {
        const ChainWindow chain = window();
        return pools(&chain, query, now).value();
    }

    billing::test::Contract contract;
};

TEST_F(chain_views, pools_are_told_with_slots_and_nodes) {
    const auto list = ask();
    EXPECT_EQ(list.at("object").as_string(), "list");
    EXPECT_EQ(list.at("block").to_number<uint64_t>(), contract.block);
    ASSERT_EQ(list.at("data").as_array().size(), 1u);
    const auto& pool = list.at("data").at(0).as_object();
    EXPECT_EQ(pool.at("pool").to_number<uint64_t>(), 1u);
    EXPECT_EQ(pool.at("creator").as_string(), chain::to_checksum_text(chain::test_creator));
    EXPECT_EQ(pool.at("prompt_price").as_string(), "2");
    EXPECT_EQ(pool.at("completion_price").as_string(), "5");
    EXPECT_EQ(pool.at("fee_bps").to_number<uint64_t>(), 500u);
    EXPECT_TRUE(pool.at("open").as_bool());
    const auto& slots = pool.at("slots").as_array();
    ASSERT_EQ(slots.size(), 2u);
    EXPECT_EQ(slots[1].at("layers"), (boost::json::array{2, 5}));
    const auto& node = slots[1].at("nodes").at(0).as_object();
    EXPECT_EQ(node.at("node").to_number<uint64_t>(), 2u);
    EXPECT_EQ(node.at("host").as_string(), chain::to_checksum_text(chain::test_host));
    EXPECT_EQ(node.at("receipt_key").as_string(), chain::to_checksum_text(billing::test::tail));
    EXPECT_EQ(node.at("measurement").as_string(), to_hex(chain::test_measurement));
    EXPECT_TRUE(node.at("live").as_bool());
}

TEST_F(chain_views, nodes_stay_while_their_work_may_be_settled) {
    const auto nodes_at = [&](UnixSeconds time) {
        return ask("", time).at("data").at(0).at("slots").at(0).at("nodes").as_array();
    };
    const UnixSeconds end = chain::test_start + 3600;
    EXPECT_FALSE(nodes_at(end + 1).at(0).at("live").as_bool());
    EXPECT_EQ(nodes_at(end + 7 * 86400).size(), 1u);
    EXPECT_TRUE(nodes_at(end + 7 * 86400 + 1).empty());
    contract.apply(chain::tee_tee::NodeLeftEvent{.node = 1});
    EXPECT_TRUE(nodes_at(chain::test_start).empty());
}

TEST_F(chain_views, pools_go_on_behind_a_number) {
    for (uint64_t number = 2; number <= pools_listed_max + 2; ++number)
        contract.apply(chain::pool_created(number));
    const auto first = ask();
    EXPECT_EQ(first.at("data").as_array().size(), pools_listed_max);
    EXPECT_TRUE(first.at("has_more").as_bool());
    const auto rest = ask("after=" + std::to_string(pools_listed_max));
    EXPECT_EQ(rest.at("data").as_array().size(), 2u);
    EXPECT_FALSE(rest.at("has_more").as_bool());
    const ChainWindow chain = window();
    for (const char* query : {"after=", "after=x", "after=-1", "after=99999999999999999999"})
        EXPECT_EQ(pools(&chain, query, 0).error().code, ErrorCode::field_invalid) << query;
    EXPECT_TRUE(ask("after=18446744073709551615").at("data").as_array().empty());
}

TEST_F(chain_views, without_a_chain_there_are_none) {
    const auto list = pools(nullptr, "", 0).value();
    EXPECT_TRUE(list.at("data").as_array().empty());
    EXPECT_EQ(list.at("block").to_number<uint64_t>(), 0u);
    EXPECT_TRUE(chain_view(nullptr).is_null());
    const ChainWindow chain = window();
    const auto told = chain_view(&chain).as_object();
    EXPECT_EQ(told.at("chain_id").to_number<uint64_t>(), 84532u);
    EXPECT_EQ(told.at("from_block").to_number<uint64_t>(), 7u);
    EXPECT_EQ(told.at("rpc_urls").at(0).as_string(), "https://rpc.example");
}

}  // namespace
}  // namespace teetee::api
