// SPDX-License-Identifier: Apache-2.0
#include "cli/config_file.hpp"

#include <gtest/gtest.h>

#include "cli/limits.hpp"

namespace teetee::cli {
namespace {

using Kind = ConfigScalar::Kind;

const ConfigEntry* find(const ConfigFile& file, std::string_view key) {
    for (const ConfigEntry& entry : file.entries) {
        if (entry.key == key) return &entry;
    }
    return nullptr;
}

std::string refusal(std::string_view text) {
    const auto file = parse_config_file(text, "c.toml");
    return file ? "" : file.error().message();
}

TEST(config_file, tells_tables_keys_kinds_and_lines) {
    const auto file = parse_config_file(
        "json = true\n"
        "[node]\n"
        "threads = 3\n"
        "next = [\"tls://a:1\",\n \"tls://b:2\"]\n"
        "[attest.verify]\n"
        "time = 1.5\n",
        "c.toml");
    ASSERT_TRUE(file) << file.error().message();
    ASSERT_EQ(file->tables.size(), 3u);  // attest, attest.verify, node
    const ConfigEntry* threads = find(*file, "threads");
    ASSERT_NE(threads, nullptr);
    EXPECT_EQ(threads->table, std::vector<std::string>{"node"});
    EXPECT_EQ(threads->values, (std::vector<ConfigScalar>{{Kind::integer, "3"}}));
    EXPECT_EQ(threads->line, 3u);
    const ConfigEntry* next = find(*file, "next");
    ASSERT_NE(next, nullptr);
    EXPECT_TRUE(next->is_list);
    EXPECT_EQ(next->values.size(), 2u);
    EXPECT_EQ(find(*file, "json")->values.front(), (ConfigScalar{Kind::boolean, "true"}));
    EXPECT_EQ(find(*file, "time")->values.front(), (ConfigScalar{Kind::real, "1.5"}));
    EXPECT_EQ(find(*file, "time")->table, (std::vector<std::string>{"attest", "verify"}));
}

TEST(config_file, names_file_and_line_of_what_is_no_toml) {
    EXPECT_EQ(refusal("[node]\nlisten = \n").find("config_invalid: c.toml:2: no TOML: "), 0u);
    EXPECT_NE(refusal("a = 1\na = 2\n"), "");
    EXPECT_NE(refusal("[node\n"), "");
    EXPECT_EQ(refusal("[/node]\n").find("config_invalid: c.toml:1: no TOML: "), 0u);
    EXPECT_NE(refusal("a = \"\xff\"\n"), "");
    EXPECT_NE(refusal("a = 1979-05-27\n").find("c.toml:1: 'a': need a string"), std::string::npos);
    EXPECT_NE(refusal("a = [[1]]\n").find("need a string"), std::string::npos);
    EXPECT_NE(refusal("[[node]]\nlisten = \"a\"\n").find("need a string"), std::string::npos);
    EXPECT_NE(refusal("a = \"\\u0000\"\n").find("U+0000"), std::string::npos);
}

TEST(config_file, has_limits) {
    EXPECT_EQ(refusal(std::string(config_file_bytes_max + 1, '\n')).find("limit_exceeded"), 0u);
    std::string long_line = "a";
    while (long_line.size() <= config_line_bytes_max) long_line += ".a";
    EXPECT_EQ(refusal(long_line + " = 1\n").find("limit_exceeded: c.toml:1"), 0u);
    std::string list = "a = [\n";
    for (size_t i = 0; i <= config_list_length_max; ++i) list += "1,\n";
    EXPECT_EQ(refusal(list + "]\n").find("limit_exceeded: c.toml:1"), 0u);
    EXPECT_NE(refusal("a = [[[[[[[[[[1]]]]]]]]]]\n"), "");
}

TEST(config_file, takes_the_deepest_nesting_that_the_limits_let_through) {
    std::string dotted = "a";
    while (dotted.size() + 8 < config_line_bytes_max) dotted += ".a";
    EXPECT_EQ(refusal("[" + dotted + "]\n" + dotted + " = 1\n"), "");
}

TEST(config_file, reads_what_it_quotes) {
    for (const std::string text : {"", "plain", "\"\\ \t\n\x7f",
                                   "gr\xc3\xbc\xc3\x9f"
                                   "e"}) {
        const auto file = parse_config_file("a = " + quote_toml(text), "c.toml");
        ASSERT_TRUE(file) << file.error().message();
        EXPECT_EQ(file->entries.front().values.front().text, text);
    }
}

}  // namespace
}  // namespace teetee::cli
