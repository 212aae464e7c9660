// SPDX-License-Identifier: Apache-2.0
#include "net/configfs_tsm.hpp"

#include "attest/dev_node.hpp"
#include "net/guest_fakes.hpp"
#include "net/kernel_file.hpp"

namespace teetee::net {
namespace {

ByteArray<64> filled(uint8_t value) {
    ByteArray<64> out;
    out.fill(value);
    return out;
}

/// Padded as the kernel does.
Bytes padded_quote(const ByteArray<64>& report_data) {
    attest::DevTee tee = attest::test::make_tee();
    Bytes quote = tee.quote(report_data).value();
    quote.resize(8000);
    return quote;
}

struct Fixture {
    TestFolder reports;
    std::unique_ptr<ConfigfsTsm> provider = ConfigfsTsm::open(reports.path()).value();
};

std::string refusal(ConfigfsTsm& provider) {
    const auto quote = provider.quote(filled(1));
    if (quote) return "accepted";
    EXPECT_EQ(quote.error().code, ErrorCode::evidence_unavailable);
    return quote.error().detail;
}

TEST(configfs_tsm, quotes_over_the_statement_without_padding) {
    const Fixture fixture;
    const FakeKernel kernel(fixture.provider->folder(), {.steps = {1, 1}, .quote = padded_quote});
    EXPECT_FALSE(fixture.provider->simulated());
    for (const uint8_t value : {uint8_t{3}, uint8_t{4}}) {
        const auto quote = fixture.provider->quote(filled(value));
        ASSERT_TRUE(quote) << quote.error().message();
        attest::DevTee tee = attest::test::make_tee();
        EXPECT_EQ(*quote, tee.quote(filled(value)).value());
    }
}

TEST(configfs_tsm, asks_again_when_another_has_written) {
    const Fixture fixture;
    const FakeKernel kernel(fixture.provider->folder(),
                            {.steps = {2, 3, 1}, .quote = padded_quote});
    EXPECT_TRUE(fixture.provider->quote(filled(3)));
    EXPECT_EQ(kernel.question_count(), 3u);
}

TEST(configfs_tsm, gives_up_when_another_writes_all_the_time) {
    const Fixture fixture;
    const FakeKernel kernel(fixture.provider->folder(),
                            {.steps = {2, 2, 2, 2, 2, 2}, .quote = padded_quote});
    EXPECT_NE(refusal(*fixture.provider).find("need the folder alone"), std::string::npos);
    EXPECT_EQ(kernel.question_count(), 5u);
}

TEST(configfs_tsm, refuses_another_platform) {
    const Fixture fixture;
    const FakeKernel kernel(fixture.provider->folder(),
                            {.provider = "sev_guest\n", .quote = padded_quote});
    EXPECT_NE(refusal(*fixture.provider).find("have 'sev_guest', need 'tdx_guest'"),
              std::string::npos);
}

TEST(configfs_tsm, refuses_what_is_no_quote_over_the_data) {
    const Fixture fixture;
    const FakeKernel kernel(
        fixture.provider->folder(),
        {.steps = {1, 1, 1}, .quote = [count = 0](const ByteArray<64>&) mutable {
             ++count;
             if (count == 1) return Bytes(100);
             if (count == 2) return padded_quote(filled(2));
             return Bytes(40'000);
         }});
    EXPECT_NE(refusal(*fixture.provider).find("no TDX quote"), std::string::npos);
    EXPECT_NE(refusal(*fixture.provider).find("report data of the quote"), std::string::npos);
    EXPECT_NE(refusal(*fixture.provider).find("have more than"), std::string::npos);
}

TEST(configfs_tsm, refuses_a_generation_that_is_no_number) {
    const Fixture fixture;
    const FakeKernel kernel(fixture.provider->folder(), {.quote = padded_quote});
    for (const char* text : {"", "x", "1x", "99999999999999999999999999"}) {
        kernel.write("generation", text);
        EXPECT_NE(refusal(*fixture.provider).find("need a number"), std::string::npos) << text;
    }
}

TEST(configfs_tsm, names_the_missing_file) {
    const Fixture fixture;
    EXPECT_NE(refusal(*fixture.provider).find(fixture.provider->folder() + "/provider: cannot "),
              std::string::npos);
}

TEST(configfs_tsm, has_no_sealing_key) {
    const Fixture fixture;
    EXPECT_EQ(fixture.provider->sealing_key("weights").error().code,
              ErrorCode::evidence_unavailable);
}

TEST(configfs_tsm, makes_a_folder_for_each_and_removes_it) {
    const TestFolder reports;
    std::string folder;
    {
        const auto first = ConfigfsTsm::open(reports.path()).value();
        const auto second = ConfigfsTsm::open(reports.path()).value();
        folder = first->folder();
        EXPECT_NE(folder, second->folder());
        EXPECT_TRUE(std::filesystem::exists(folder));
    }
    EXPECT_FALSE(std::filesystem::exists(folder));
    std::vector<std::unique_ptr<ConfigfsTsm>> all;
    for (int i = 0; i < 5; ++i) all.push_back(ConfigfsTsm::open(reports.path()).value());
    EXPECT_NE(ConfigfsTsm::open(reports.path()).error().detail.find("need a free name"),
              std::string::npos);
}

TEST(configfs_tsm, says_what_a_machine_without_it_lacks) {
    const TestFolder folder;
    const auto opened = ConfigfsTsm::open(folder.path() + "/tsm/report");
    EXPECT_EQ(opened.error().code, ErrorCode::evidence_unavailable);
    EXPECT_NE(opened.error().detail.find("need Linux 6.7"), std::string::npos);
}

TEST(kernel_file, names_what_cannot_be_written) {
    const TestFolder folder;
    EXPECT_EQ(write_kernel_file(folder.path() + "/none", {}).error().code, ErrorCode::not_found);
    EXPECT_EQ(write_kernel_file("/dev/full", Bytes(1)).error().code, ErrorCode::io_failed);
    EXPECT_EQ(read_kernel_file(folder.path(), 10).error().code, ErrorCode::io_failed);
}

}  // namespace
}  // namespace teetee::net
