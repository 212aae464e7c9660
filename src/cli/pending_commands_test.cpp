// SPDX-License-Identifier: Apache-2.0
#include "cli/pending_commands.hpp"

#include <gtest/gtest.h>

#include "cli/limits.hpp"

namespace teetee::cli {
namespace {

PendingCommand command(std::string text, std::string key) {
    return {.command = std::move(text),
            .intent = {.key = std::move(key),
                       .to = {1},
                       .value = chain::U256::power_of_two(80),
                       .data = {2, 3},
                       .gas_limit = {}},
            .name = {},
            .inclusion = {}};
}

TEST(pending_commands, come_back_as_they_were_written) {
    PendingCommands commands;
    commands.add(command("credits buy 10", "run:1"));
    PendingCommand& named = commands.add(command("credits buy 10", "run:2"));
    named.name = "monday";
    named.inclusion = chain::Inclusion{
        .transaction_hash = {1}, .block_number = 2, .block_hash = {3}, .gas_used = 4, .cost = 5};
    const auto again = PendingCommands::parse(commands.encode());
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(again->all(), commands.all());
    EXPECT_TRUE(PendingCommands::parse(PendingCommands().encode())->all().empty());
}

TEST(pending_commands, one_that_was_cut_off_is_found_by_what_it_does) {
    PendingCommands commands;
    commands.add(command("credits buy 10", "run:1"));
    PendingCommand named = command("credits buy 20", "run:2");
    named.name = "monday";
    commands.add(named);
    ASSERT_NE(commands.unfinished("credits buy 10"), nullptr);
    EXPECT_EQ(commands.unfinished("credits buy 10")->intent.key, "run:1");
    // Of a name, only the name is the same command.
    EXPECT_EQ(commands.unfinished("credits buy 20"), nullptr);
    EXPECT_EQ(commands.named("monday"), commands.of_key("run:2"));
    EXPECT_EQ(commands.named("tuesday"), nullptr);
    commands.erase("run:1");
    EXPECT_EQ(commands.unfinished("credits buy 10"), nullptr);
}

TEST(pending_commands, two_runs_have_two_keys) {
    SystemRng rng;
    EXPECT_NE(fresh_key(rng), fresh_key(rng));
}

TEST(pending_commands, the_oldest_that_is_done_makes_room) {
    PendingCommands commands;
    for (size_t i = 0; i < pending_commands_max; ++i) {
        PendingCommand& added = commands.add(command("c", "run:" + std::to_string(i)));
        added.name = "day " + std::to_string(i);
        if (i == 5) added.inclusion = chain::Inclusion{};
    }
    commands.add(command("c", "run:new"));
    EXPECT_EQ(commands.all().size(), pending_commands_max);
    EXPECT_EQ(commands.of_key("run:5"), nullptr);
    EXPECT_NE(commands.of_key("run:0"), nullptr);
}

TEST(pending_commands, a_damaged_file_is_refused) {
    PendingCommands commands;
    commands.add(command("credits buy 10", "run:1"));
    const std::string text = commands.encode();
    EXPECT_FALSE(PendingCommands::parse(text.substr(0, text.size() / 2)));
    EXPECT_FALSE(PendingCommands::parse("{}"));
    for (const char* member : {"\"command\"", "\"key\"", "\"to\"", "\"value\"", "\"data\""}) {
        std::string other = text;
        other.replace(other.find(member), std::string_view(member).size(), "\"x\"");
        EXPECT_EQ(PendingCommands::parse(other).error().code, ErrorCode::config_invalid) << member;
    }
}

}  // namespace
}  // namespace teetee::cli
