// SPDX-License-Identifier: Apache-2.0
#include "cli/self_registration.hpp"

#include <gtest/gtest.h>

#include "chain/test_events.hpp"
#include "crypto/hash.hpp"

namespace teetee::cli {
namespace {

using Kind = RegistrationStep::Kind;

class self_registration : public testing::Test {
  protected:
    self_registration() {
        apply(chain::pool_created());
        apply(chain::measurement_accepted());
        statement.receipt_address = {0x4e, 1};
        statement.not_after = static_cast<UnixSeconds>(chain::test_start) + 7200;
    }
    template <class Event>
    void apply(const Event& event) {
        ASSERT_TRUE(state.apply(event, ++block));
    }
    /// With the statement that the file has, until an hour from the start.
    void enrol(uint64_t slot = 0) {
        auto event = chain::node_registered(1, slot);
        event.statement_hash = crypto::sha256(file.statement);
        apply(event);
    }
    Result<RegistrationStep> next(uint64_t now = chain::test_start) {
        return next_step(state, file, statement, now, 600);
    }

    chain::ContractState state;
    uint64_t block = 0;
    chain::RegistrationFile file{.pool = 1, .statement = {1}};
    attest::Statement statement;
};

TEST_F(self_registration, enrols_a_node_that_is_not_there) {
    const auto first = next();
    EXPECT_EQ(first->kind, Kind::enrol);
    EXPECT_EQ(next()->key, first->key);
    file.statement = {2};
    EXPECT_NE(next()->key, first->key);
    enrol();
    EXPECT_EQ(next()->kind, Kind::none);
}

TEST_F(self_registration, renews_with_another_statement) {
    enrol();
    file.statement = {2};
    const auto renewal = next();
    EXPECT_EQ(renewal->kind, Kind::renew);
    EXPECT_EQ(renewal->node, 1u);
    EXPECT_EQ(next(chain::test_start + 1)->key, renewal->key);
    apply(chain::tee_tee::NodeRenewedEvent{.pool = 1,
                                           .node = 1,
                                           .statement_hash = crypto::sha256(file.statement),
                                           .expiry = chain::test_start + 7200,
                                           .endpoint = "tls://node.example:7000"});
    EXPECT_EQ(next()->kind, Kind::none);
}

TEST_F(self_registration, renews_before_its_end_where_the_statement_lasts_longer) {
    enrol();
    EXPECT_EQ(next(chain::test_start + 2999)->kind, Kind::none);
    EXPECT_EQ(next(chain::test_start + 3000)->kind, Kind::renew);
    EXPECT_EQ(next(chain::test_start + 9000)->kind, Kind::renew) << "though it is over";
    statement.not_after = static_cast<UnixSeconds>(chain::test_start) + 3600;
    EXPECT_EQ(next(chain::test_start + 3599)->kind, Kind::none);
}

TEST_F(self_registration, knows_what_the_contract_takes_no_more) {
    enrol();
    file.slot = 1;
    EXPECT_EQ(next().error().code, ErrorCode::call_reverted);
    file.slot = 0;
    apply(chain::tee_tee::NodeLeftEvent{.node = 1});
    EXPECT_EQ(next().error().code, ErrorCode::call_reverted);
}

}  // namespace
}  // namespace teetee::cli
