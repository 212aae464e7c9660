// SPDX-License-Identifier: Apache-2.0
#include "attest/dev_tee.hpp"

#include <gtest/gtest.h>

#include "attest/dev_node.hpp"

namespace teetee::attest {
namespace {

TEST(dev_tee, is_a_function_of_its_inputs) {
    auto one = test::make_tee();
    auto two = test::make_tee();
    EXPECT_EQ(one.root_pem(), two.root_pem());
    EXPECT_EQ(one.quote({}).value(), two.quote({}).value());
    EXPECT_NE(one.root_pem(), test::make_tee(test::measurements(), 2).root_pem());
}

TEST(dev_tee, nodes_that_start_at_different_times_share_the_root) {
    const auto later =
        DevTee::create(ByteArray<32>{1}, test::measurements(), test::now + 12345).value();
    EXPECT_EQ(later.root_pem(), test::make_tee().root_pem());
}

TEST(dev_tee, says_that_it_is_simulated) {
    const auto tee = test::make_tee();
    EXPECT_TRUE(tee.simulated());
    const auto root = parse_pem_certificates(as_bytes(tee.root_pem()), 1).value();
    EXPECT_EQ(display_name(root[0]), "'TeeTee DEV Root CA SIMULATED'");
}

TEST(dev_tee, seals_for_one_purpose_and_one_build) {
    const auto key = [](DevTee tee, std::string_view purpose) {
        return to_hex(tee.sealing_key(purpose).value().view());
    };
    const std::string sealed = key(test::make_tee(), "weights");
    EXPECT_EQ(key(test::make_tee(), "weights"), sealed);
    EXPECT_NE(key(test::make_tee(), "tokens"), sealed);
    EXPECT_NE(key(test::make_tee(test::measurements(), 2), "weights"), sealed);
    std::vector<DevMeasurements> others(7, test::measurements());
    others[0].mrtd[0] ^= 1;
    for (size_t i = 0; i < 4; ++i) others[1 + i].rtmr[i][0] ^= 1;
    others[5].mrconfigid[0] ^= 1;
    others[6].tdattributes ^= td_attribute_debug;
    for (const DevMeasurements& other : others) {
        EXPECT_NE(key(test::make_tee(other), "weights"), sealed);
    }
}

TEST(dev_tee, works_at_the_start_of_time) {
    auto tee = DevTee::create(ByteArray<32>{1}, test::measurements(), 0).value();
    EXPECT_TRUE(verify_quote(tee.quote({}).value(), test::make_policy().roots, 0));
    EXPECT_EQ(DevTee::create(ByteArray<32>{1}, {}, -400 * 24 * 3600).error().code,
              ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace teetee::attest
