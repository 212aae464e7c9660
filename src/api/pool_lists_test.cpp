// SPDX-License-Identifier: Apache-2.0
#include "api/pool_lists.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "api/limits.hpp"
#include "billing/test_world.hpp"

namespace teetee::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class HandClock final : public Clock {
  public:
    Instant now() const override { return instant; }
    UnixSeconds unix_now() const override { return unix_time; }

    Instant instant{};
    UnixSeconds unix_time = chain::test_start + 10;
};

class pool_lists : public testing::Test {
  protected:
    boost::json::object ask(std::string_view query = "") {
        return boost::json::parse(*lists.list(query).value()).as_object();
    }
    /// As of then, and by another look.
    boost::json::object ask_at(UnixSeconds time) {
        clock.unix_time = time;
        clock.instant += seconds(1);
        return ask();
    }
    void create_pools(uint64_t first, uint64_t last) {
        for (uint64_t number = first; number <= last; ++number)
            contract.apply(chain::pool_created(number));
    }

    billing::test::Contract contract;
    size_t looks = 0;
    ChainWindow window = {
        .deployment = billing::test::deployment,
        .state = [this]() -> const chain::ContractState& { return contract.state; },
        .block =
            [this] {
                ++looks;
                return contract.block;
            }};
    HandClock clock;
    PoolLists lists{&window, clock};
};

TEST_F(pool_lists, pools_are_told_with_slots_and_nodes) {
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

TEST_F(pool_lists, nodes_stay_while_their_work_may_be_settled) {
    const auto nodes_at = [&](UnixSeconds time) {
        return ask_at(time).at("data").at(0).at("slots").at(0).at("nodes").as_array();
    };
    const UnixSeconds end = chain::test_start + 3600;
    EXPECT_FALSE(nodes_at(end + 1).at(0).at("live").as_bool());
    EXPECT_EQ(nodes_at(end + 7 * 86400).size(), 1u);
    EXPECT_TRUE(nodes_at(end + 7 * 86400 + 1).empty());
    contract.apply(chain::tee_tee::NodeLeftEvent{.node = 1});
    EXPECT_TRUE(nodes_at(chain::test_start).empty());
}

TEST_F(pool_lists, pools_go_on_behind_a_number) {
    create_pools(2, pools_listed_max + 2);
    const auto first = ask();
    EXPECT_EQ(first.at("data").as_array().size(), pools_listed_max);
    EXPECT_TRUE(first.at("has_more").as_bool());
    const auto rest = ask("after=" + std::to_string(pools_listed_max));
    EXPECT_EQ(rest.at("data").as_array().size(), 2u);
    EXPECT_FALSE(rest.at("has_more").as_bool());
    for (const char* query : {"after=", "after=x", "after=-1", "after=99999999999999999999"})
        EXPECT_EQ(lists.list(query).error().code, ErrorCode::field_invalid) << query;
    EXPECT_TRUE(ask("after=18446744073709551615").at("data").as_array().empty());
}

TEST_F(pool_lists, however_many_ask_the_contract_is_looked_at_once_a_second) {
    create_pools(2, 3);
    const SharedText first = lists.list("").value();
    EXPECT_EQ(lists.list("").value(), first);
    EXPECT_EQ(lists.list("after=0").value(), first);
    // Nor does it help to ask for other numbers: behind them is the same.
    const SharedText none = lists.list("after=3").value();
    EXPECT_EQ(lists.list("after=4").value(), none);
    EXPECT_EQ(lists.list("after=18446744073709551615").value(), none);
    clock.instant += milliseconds(999);
    contract.apply(chain::pool_created(4));
    EXPECT_EQ(lists.list("").value(), first);
    EXPECT_EQ(looks, 1u);
    clock.instant += milliseconds(1);
    EXPECT_EQ(ask().at("data").as_array().size(), 4u);
    EXPECT_EQ(looks, 2u);
    // Who is still being sent the one before has it whole.
    EXPECT_EQ(boost::json::parse(*first).at("data").as_array().size(), 3u);
}

TEST_F(pool_lists, a_list_has_a_bound_and_goes_on_behind_it) {
    // A pool that is nearly as large as a list may be, and another one behind it.
    auto large = chain::pool_created(2);
    large.manifest_uri = std::string(pool_list_bytes_max - 2000, 'u');
    contract.apply(large);
    create_pools(3, 5);
    auto list = ask();
    EXPECT_TRUE(list.at("has_more").as_bool());
    uint64_t last = 0;
    std::vector<uint64_t> seen;
    while (true) {
        for (const auto& pool : list.at("data").as_array()) {
            last = pool.at("pool").to_number<uint64_t>();
            seen.push_back(last);
        }
        if (!list.at("has_more").as_bool()) break;
        const SharedText text = lists.list("after=" + std::to_string(last)).value();
        EXPECT_LE(text->size(), pool_list_bytes_max + 100);
        list = boost::json::parse(*text).as_object();
    }
    EXPECT_EQ(seen, (std::vector<uint64_t>{1, 2, 3, 4, 5}));
}

TEST_F(pool_lists, nodes_of_a_pool_that_are_too_many_are_counted) {
    const auto nodes = [](const boost::json::object& list) {
        return list.at("data").at(0).at("slots").at(0).at("nodes").as_array().size();
    };
    const size_t before = nodes(ask());
    for (uint64_t number = 3; number < 3 + pool_nodes_listed_max; ++number) {
        auto node = chain::node_registered(number, 0);
        node.receipt_key[2] = static_cast<uint8_t>(number >> 8);
        contract.apply(node);
    }
    const auto list = ask_at(clock.unix_time);
    const uint64_t left_out = list.at("data").at(0).at("nodes_left_out").to_number<uint64_t>();
    EXPECT_EQ(left_out, 2u);
    EXPECT_EQ(nodes(list), before + pool_nodes_listed_max - left_out);
}

TEST_F(pool_lists, without_a_chain_there_are_none) {
    PoolLists empty(nullptr, clock);
    const auto list = boost::json::parse(*empty.list("").value());
    EXPECT_TRUE(list.at("data").as_array().empty());
    EXPECT_EQ(list.at("block").to_number<uint64_t>(), 0u);
    EXPECT_FALSE(list.at("has_more").as_bool());
}

}  // namespace
}  // namespace teetee::api
