// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor_judgement.hpp"

#include <gtest/gtest.h>

namespace teetee::cli {
namespace {

constexpr UnixSeconds now = build_time_min + 86400;

TEST(doctor_judgement, a_clock_before_the_build_is_wrong) {
    EXPECT_EQ(judge_clock(build_time_min).finding, Finding::ok);
    const DoctorFinding early = judge_clock(build_time_min - 1);
    EXPECT_EQ(early.finding, Finding::problem);
    EXPECT_NE(early.fix.find("timedatectl"), std::string::npos);
}

TEST(doctor_judgement, clocks_may_differ_by_a_minute) {
    EXPECT_EQ(judge_clock_against({"a", now - 60}, now).finding, Finding::ok);
    const DoctorFinding ahead = judge_clock_against({"a", now - 7200}, now);
    EXPECT_EQ(ahead.finding, Finding::problem);
    EXPECT_NE(ahead.cause.find("2 hours ahead of a"), std::string::npos);
    EXPECT_NE(judge_clock_against({"a", now + 61}, now).cause.find("61 s behind a"),
              std::string::npos);
}

TEST(doctor_judgement, an_old_head_is_a_problem_but_on_a_dev_chain) {
    EXPECT_EQ(judge_head({"u", 7, now - 5}, now).finding, Finding::ok);
    EXPECT_EQ(judge_head({"u", 7, now - 301}, now).finding, Finding::problem);
    EXPECT_EQ(judge_head({"u", 7, now - 301, true}, now).finding, Finding::ok);
    const DoctorFinding ahead = judge_head({"u", 7, now + 61, true}, now);
    EXPECT_EQ(ahead.finding, Finding::problem);
    EXPECT_NE(ahead.fix.find("timedatectl"), std::string::npos);
}

TEST(doctor_judgement, memory_must_hold_weights_and_keys) {
    constexpr uint64_t gib = uint64_t{1} << 30;
    EXPECT_EQ(judge_memory({4 * gib, 2 * gib, gib}).finding, Finding::ok);
    const DoctorFinding kv = judge_memory({4 * gib, 2 * gib, 3 * gib});
    EXPECT_EQ(kv.finding, Finding::problem);
    EXPECT_NE(kv.fix.find("--kv-memory 1843MiB"), std::string::npos);
    EXPECT_NE(judge_memory({gib, 2 * gib, 0}).fix.find("fewer layers"), std::string::npos);
    EXPECT_EQ(judge_memory({0, gib, 0}).finding, Finding::warning);
    // Beside a node that runs it is this node that has taken what is not free.
    EXPECT_EQ(judge_memory({gib, 2 * gib, gib, true}).finding, Finding::ok);
}

TEST(doctor_judgement, limits_and_dates) {
    EXPECT_EQ(judge_descriptors(1024).finding, Finding::ok);
    EXPECT_EQ(judge_descriptors(1023).finding, Finding::problem);
    EXPECT_EQ(judge_space({"--state", "/x", 10, 11}).finding, Finding::problem);
    EXPECT_EQ(judge_space({"--state", "/x", 11, 11}).finding, Finding::ok);
    EXPECT_EQ(judge_expiry("it", now, now).finding, Finding::problem);
    EXPECT_EQ(judge_expiry("it", now + 1, now).finding, Finding::warning);
    EXPECT_EQ(judge_expiry("it", now + expiry_warning_s, now).finding, Finding::ok);
}

TEST(doctor_judgement, ports_are_of_addresses) {
    EXPECT_TRUE(shares_port({"127.0.0.1", 7}, {"127.0.0.1", 7}));
    EXPECT_TRUE(shares_port({"localhost", 7}, {"127.0.0.1", 7}));
    EXPECT_TRUE(shares_port({"127.0.0.1", 7}, {"0.0.0.0", 7}));
    EXPECT_TRUE(shares_port({"::", 7}, {"10.0.0.1", 7}));
    EXPECT_FALSE(shares_port({"127.0.0.1", 7}, {"10.0.0.1", 7}));
    EXPECT_FALSE(shares_port({"0.0.0.0", 7}, {"0.0.0.0", 8}));
    EXPECT_FALSE(shares_port({"0.0.0.0", 0}, {"0.0.0.0", 0}));
}

TEST(doctor_judgement, finds_who_listens) {
    const std::string_view table =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid timeout\n"
        "   0: 0100007F:138A 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 1\n"
        "   1: 0100007F:138A 0100007F:9999 01 00000000:00000000 00:00000000 00000000 0 0 4712 1\n"
        "   2: nonsense\n";
    EXPECT_EQ(listening_inodes(table, 5002), std::vector<uint64_t>{4711});
    EXPECT_TRUE(listening_inodes(table, 5003).empty());
}

}  // namespace
}  // namespace teetee::cli
