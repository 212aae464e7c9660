// SPDX-License-Identifier: Apache-2.0
#include "attest/chain_measurement.hpp"

#include <fstream>

#include <gtest/gtest.h>

namespace teetee::attest {
namespace {

Measurement filled(uint8_t byte) {
    Measurement out;
    out.fill(byte);
    return out;
}

TdReport report() {
    TdReport out;
    out.tdattributes = 0x10000000;
    out.mrtd = filled(1);
    for (uint8_t i = 0; i < 4; ++i) out.rtmr[i] = filled(uint8_t(2 + i));
    return out;
}

AcceptedMeasurement accepted() {
    AcceptedMeasurement out{.mrtd = filled(1), .rtmr = {}, .mrconfigid = {}};
    for (uint8_t i = 0; i < 4; ++i) out.rtmr[i] = filled(uint8_t(2 + i));
    return out;
}

TEST(chain_measurement, is_of_every_register_that_names_code) {
    const Digest plain = chain_measurement(report());
    TdReport other = report();
    other.rtmr[3] = filled(9);
    EXPECT_NE(chain_measurement(other), plain);
    // Where the host has set what is run, RTMR 3 is that of the instance.
    other.mrconfigid = filled(7);
    const Digest configured = chain_measurement(other);
    EXPECT_NE(configured, plain);
    other.rtmr[3] = filled(10);
    EXPECT_EQ(chain_measurement(other), configured);
    other.rtmr[2] = filled(10);
    EXPECT_NE(chain_measurement(other), configured);
    other = report();
    other.tdattributes ^= 1;
    EXPECT_NE(chain_measurement(other), plain);
}

TEST(chain_measurement, of_a_policy_is_that_of_the_quotes_it_accepts) {
    EXPECT_EQ(chain_measurement(accepted(), 0x10000000).value(), chain_measurement(report()));
    TdReport configured = report();
    configured.mrconfigid = filled(7);
    AcceptedMeasurement build = accepted();
    build.rtmr[3].reset();
    build.mrconfigid = filled(7);
    EXPECT_EQ(chain_measurement(build, 0x10000000).value(), chain_measurement(configured));
}

TEST(chain_measurement, says_what_a_policy_leaves_open) {
    const AcceptedMeasurement only_mrtd{.mrtd = filled(1), .rtmr = {}, .mrconfigid = {}};
    const auto none = chain_measurement(only_mrtd, 0);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::config_invalid);
    EXPECT_NE(none.error().detail.find("rtmr0, rtmr1, rtmr2, rtmr3"), std::string::npos);
}

// The vector that the contracts are tested with.
TEST(chain_measurement, is_the_contracts) {
    const std::string folder = std::string(TEETEE_SOURCE_DIR) + "/contracts/";
    std::ifstream stream(folder + "test/vectors/dev_quote.hex");
    if (!stream) stream.open(folder + "attestation/test/attestation/vectors/dev_quote.hex");
    std::string hex;
    ASSERT_TRUE(stream >> hex);
    const auto quote = parse_quote(from_hex(hex).value());
    ASSERT_TRUE(quote);
    EXPECT_EQ(to_hex(chain_measurement(std::get<TdReport>(quote->report))),
              "529c004d584d4c588fa993189dd1bf91c4ad3c2613a46e48ef85211740da6302");
}

}  // namespace
}  // namespace teetee::attest
