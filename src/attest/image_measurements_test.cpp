// SPDX-License-Identifier: Apache-2.0
#include "attest/image_measurements.hpp"

#include <gtest/gtest.h>

#include "attest/event_log.hpp"
#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

std::string image(char digit, std::string_view more = "") {
    const std::string value(96, digit);
    return R"({"mrtd":")" + value + R"(","rtmr0":")" + value + R"(","rtmr1":")" + value +
           R"(","rtmr2":")" + value + "\"" + std::string(more) + "}";
}

TEST(image_measurements, are_one_or_one_for_each_size_of_machine) {
    const auto one = parse_image_measurements(image('1', R"(,"rtmr3":"00","vcpus":4)"));
    ASSERT_TRUE(one) << one.error().message();
    ASSERT_EQ(one->size(), 1u);
    EXPECT_EQ(to_hex(one->front().rtmr[2]), std::string(96, '1'));
    const auto two = parse_image_measurements("[" + image('1') + "," + image('2') + "]");
    ASSERT_TRUE(two) << two.error().message();
    EXPECT_EQ(to_hex((*two)[1].mrtd), std::string(96, '2'));
}

TEST(image_measurements, need_every_register) {
    const auto refused = [](const std::string& text) {
        const auto images = parse_image_measurements(text);
        EXPECT_FALSE(images) << text;
        if (!images) {
            EXPECT_EQ(images.error().code, ErrorCode::config_invalid);
        }
        return images ? "" : images.error().detail;
    };
    refused("");
    refused("{}");
    refused("[]");
    refused("7");
    EXPECT_NE(refused(R"({"mrtd":")" + std::string(96, '1') + "\"}").find("rtmr0"),
              std::string::npos);
    EXPECT_NE(refused("[" + image('1') + R"(,{"mrtd":"11"}])").find("[1].mrtd"), std::string::npos);
    refused(image('g'));
    std::string many = "[" + image('1');
    for (size_t i = 0; i < image_measurements_max; ++i) many += "," + image('1');
    refused(many + "]");
    refused(std::string(image_measurements_bytes_max + 1, ' '));
}

TEST(image_measurements, make_an_entry_of_a_policy) {
    const auto images = parse_image_measurements(image('4'));
    ASSERT_TRUE(images);
    const Measurement mrconfigid = mrconfigid_of(Digest{5});
    Policy policy;
    policy.roots.add_intel();
    policy.measurements = {accepted_measurement(images->front(), mrconfigid)};
    const auto again = parse_policy(encode_policy(policy));
    ASSERT_TRUE(again) << again.error().message();
    ASSERT_EQ(again->measurements, policy.measurements);
    EXPECT_EQ(again->measurements[0].mrconfigid, mrconfigid);
    EXPECT_FALSE(again->measurements[0].rtmr[3]) << "differs between instances";
}

}  // namespace
}  // namespace teetee::attest
