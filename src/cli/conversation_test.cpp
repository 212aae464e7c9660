// SPDX-License-Identifier: Apache-2.0
#include "cli/conversation.hpp"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "cli/chat_command.hpp"
#include "cli/limits.hpp"

namespace teetee::cli {
namespace {

std::string text_of(const Conversation& conversation, const std::string& prompt,
                    bool with_history = true) {
    return boost::json::serialize(conversation.messages(prompt, with_history));
}

TEST(conversation, sends_what_was_said) {
    Conversation talk;
    EXPECT_EQ(text_of(talk, "a"), R"([{"role":"user","content":"a"}])");
    talk.add_exchange("a", "b");
    talk.set_system("s");
    EXPECT_EQ(text_of(talk, "c"),
              R"([{"role":"system","content":"s"},{"role":"user","content":"a"},)"
              R"({"role":"assistant","content":"b"},{"role":"user","content":"c"}])");
    EXPECT_EQ(text_of(talk, "c", false),
              R"([{"role":"system","content":"s"},{"role":"user","content":"c"}])");
}

TEST(conversation, takes_back_the_last_and_leaves_out_the_first) {
    Conversation talk;
    EXPECT_FALSE(talk.undo());
    EXPECT_FALSE(talk.drop_oldest());
    talk.add_exchange("a", "b");
    talk.add_exchange("c", "d");
    talk.add_exchange("e", "f");
    EXPECT_TRUE(talk.drop_oldest());
    EXPECT_EQ(talk.undo(), "e");
    EXPECT_EQ(talk.said(), (std::vector<Conversation::Message>{{"user", "c"}, {"assistant", "d"}}));
}

TEST(conversation, has_settings_of_known_names_and_types) {
    Conversation talk;
    EXPECT_TRUE(talk.set("temperature", "0.2"));
    EXPECT_TRUE(talk.set("max_tokens", "20"));
    EXPECT_TRUE(talk.set("seed", "-5"));
    EXPECT_TRUE(talk.set("seed", "off"));
    EXPECT_EQ(boost::json::serialize(talk.settings()), R"({"temperature":2E-1,"max_tokens":20})");
    for (const auto& [name, value] : {std::pair("temperature", "hot"), std::pair("top_p", "0.2x"),
                                      std::pair("max_tokens", "2.5"), std::pair("min_p", "nan"),
                                      std::pair("model", "other"), std::pair("", "1")}) {
        const auto refused = talk.set(name, value);
        ASSERT_FALSE(refused) << name;
        EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument) << name;
    }
    EXPECT_EQ(talk.settings().size(), 2u);
}

TEST(conversation, is_saved_and_loaded) {
    Conversation talk;
    talk.set_system("be \"brief\"");
    talk.add_exchange("two\nlines", "\xc3\xa9");
    ASSERT_TRUE(talk.set("temperature", "0.25"));
    const auto again = Conversation::parse(talk.encode());
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(*again, talk);
}

TEST(conversation, refuses_what_is_none) {
    const auto with = [](std::string_view version, std::string_view system,
                         std::string_view settings, std::string_view messages) {
        return std::string(R"({"version":)") + std::string(version) + R"(,"system":)" +
               std::string(system) + R"(,"settings":)" + std::string(settings) + R"(,"messages":)" +
               std::string(messages) + "}";
    };
    ASSERT_TRUE(Conversation::parse(with("1", R"("")", "{}", "[]")));
    for (const std::string& text :
         {std::string(), std::string("{"), std::string("[]"), with("2", R"("")", "{}", "[]"),
          with("1", "7", "{}", "[]"), with("1", R"("")", "[]", "[]"),
          with("1", R"("")", R"({"model":1})", "[]"), with("1", R"("")", R"({"seed":1.5})", "[]"),
          with("1", R"("")", "{}", "{}"), with("1", R"("")", "{}", "[1]"),
          with("1", R"("")", "{}", R"([],"more":1)"),
          with("1", R"("")", "{}", R"([{"role":"user","content":"secret"}])"),
          with("1", R"("")", "{}", R"([{"role":"assistant","content":"secret"}])"),
          with("1", R"("")", "{}", R"([{"role":"user"}])"),
          with("1", R"("")", "{}", R"([{"role":"user","content":"secret","x":1}])")}) {
        const auto refused = Conversation::parse(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code, ErrorCode::config_invalid) << text;
        EXPECT_EQ(refused.error().detail.find("secret"), std::string::npos) << text;
    }
    EXPECT_EQ(Conversation::parse(std::string(conversation_bytes_max + 1, ' ')).error().code,
              ErrorCode::limit_exceeded);
}

TEST(chat_command, is_what_begins_with_a_slash) {
    EXPECT_EQ(*parse_chat_command("hello /new"), (ChatCommand{ChatVerb::say, "hello /new"}));
    EXPECT_EQ(*parse_chat_command("//etc is a path"),
              (ChatCommand{ChatVerb::say, "/etc is a path"}));
    EXPECT_EQ(*parse_chat_command("/set temperature  0.2 "),
              (ChatCommand{ChatVerb::set, "temperature  0.2"}));
    EXPECT_EQ(*parse_chat_command("/system be brief\nalways"),
              (ChatCommand{ChatVerb::system, "be brief\nalways"}));
    EXPECT_EQ(*parse_chat_command("/new"), (ChatCommand{ChatVerb::start_anew, ""}));
    for (const char* text : {"/", "/nothing", "/save", "/load  ", "/quit now", "/newer", "/ new"})
        EXPECT_EQ(parse_chat_command(text).error().code, ErrorCode::invalid_argument) << text;
}

std::string typed(std::initializer_list<std::string_view> lines) {
    ChatInput input;
    size_t count = 0;
    for (const auto line : lines) {
        ++count;
        EXPECT_EQ(input.add(line), count == lines.size()) << line;
        EXPECT_TRUE(input.is_begun());
    }
    const std::string text = input.take();
    EXPECT_FALSE(input.is_begun());
    return text;
}

TEST(chat_input, may_have_several_lines) {
    EXPECT_EQ(typed({"one"}), "one");
    EXPECT_EQ(typed({""}), "");
    EXPECT_EQ(typed({
                  "one\\",
                  "two\\",
                  "",
              }),
              "one\ntwo\n");
    EXPECT_EQ(typed({"\"\"\"", "one", "", "two\\", "\"\"\""}), "one\n\ntwo\\");
    EXPECT_EQ(typed({"\"\"\"one", "two\"\"\""}), "one\ntwo");
    EXPECT_EQ(typed({"\"\"\"one\"\"\""}), "one");
}

}  // namespace
}  // namespace teetee::cli
