// SPDX-License-Identifier: Apache-2.0
#include "cli/settings.hpp"

#include <gtest/gtest.h>

#include "cli/command.hpp"
#include "cli/completion_script.hpp"
#include "cli/man_page.hpp"

namespace teetee::cli {
namespace {

struct SmallOptions {
    std::string listen = "127.0.0.1:1";
    uint32_t threads = 0;
    std::vector<std::string> next;
    bool is_loud = false;
    std::string kind = "auto";
    uint32_t even = 1;
    std::string cut;
    std::string api_token;
};

Result<void> do_nothing(const SmallOptions&, Session&) {
    ADD_FAILURE() << "a trial runs no command";
    return {};
}

void add_small(CLI::App& app, Session& session) {
    app.require_subcommand(1);
    app.fallthrough();
    app.add_flag("--json", session.json, "JSON");
    auto options = std::make_shared<SmallOptions>();
    CLI::App* node = add_command(app, session, "node", "Serve", options, do_nothing);
    node->add_option("--listen", options->listen, "Where")->envname("TEETEE_LISTEN");
    node->add_option("--threads", options->threads, "How many")->check(CLI::Range(0, 8));
    node->add_option("--next", options->next, "Whom")->delimiter(',');
    node->add_flag("--loud", options->is_loud, "Louder, isn't it");
    node->add_option("--kind", options->kind, "Which")->check(CLI::IsMember({"auto", "dev"}));
    CLI::Option* even = node->add_option("--even", options->even, "Even");
    node->add_option("--cut", options->cut, "Not even")->excludes(even);
    node->add_option("--api-token", options->api_token, "Secret")->check(CLI::IsMember({"good"}));
    CLI::App* group = app.add_subcommand("attest", "Judge");
    group->require_subcommand(1);
    auto verify = std::make_shared<SmallOptions>();
    CLI::App* command = add_command(*group, session, "verify", "Judge one", verify, do_nothing);
    command->add_option("--kind", verify->kind, "Which")->required();
}

ConfigFile parse(std::string_view text) {
    auto file = parse_config_file(text, "c.toml");
    EXPECT_TRUE(file);
    return *file;
}

std::string refusal(std::string_view text) {
    SettingsTrial trial(add_small);
    const auto checked = trial.check(parse(text));
    return checked ? "" : checked.error().detail;
}

class settings : public testing::Test {
  protected:
    Variables variables = [this](const std::string& name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        if (found == environment.end()) return std::nullopt;
        return found->second;
    };
    std::map<std::string, std::string> environment;
    std::vector<ConfigFile> files;

    Result<std::vector<Setting>> resolve(const std::vector<std::string>& arguments) {
        SettingsTrial trial(add_small);
        trial.read_arguments(arguments);
        for (const ConfigFile& file : files) TT_CHECK(trial.check(file));
        return trial.settings(trial.called(), variables, files);
    }
    Setting one(const std::vector<std::string>& arguments, std::string_view name) {
        const auto all = resolve(arguments);
        EXPECT_TRUE(all) << all.error().message();
        if (!all) return {};
        for (const Setting& setting : *all) {
            if (setting.name == name) return setting;
        }
        ADD_FAILURE() << "no setting " << name;
        return {};
    }
};

TEST_F(settings, flag_wins_over_variable_over_file_over_default) {
    EXPECT_EQ(one({"node"}, "listen").values, std::vector<std::string>{"127.0.0.1:1"});
    EXPECT_EQ(one({"node"}, "listen").source, SettingSource::fallback);
    files = {parse("[node]\nlisten = \"file:1\"\n")};
    EXPECT_EQ(one({"node"}, "listen").values, std::vector<std::string>{"file:1"});
    EXPECT_EQ(one({"node"}, "listen").origin, "c.toml:2");
    environment["TEETEE_LISTEN"] = "shared:1";
    EXPECT_EQ(one({"node"}, "listen").origin, "TEETEE_LISTEN");
    environment["TEETEE_NODE_LISTEN"] = "own:1";
    EXPECT_EQ(one({"node"}, "listen").values, std::vector<std::string>{"own:1"});
    EXPECT_EQ(one({"node", "--listen", "flag:1"}, "listen").source, SettingSource::flag);
    EXPECT_EQ(one({"node", "--listen", "flag:1"}, "listen").values,
              std::vector<std::string>{"flag:1"});
}

TEST_F(settings, of_two_files_the_first_wins_key_by_key) {
    files = {parse("[node]\nlisten = \"mine:1\"\n"),
             parse("[node]\nlisten = \"all:1\"\nthreads = 2\n")};
    EXPECT_EQ(one({"node"}, "listen").values, std::vector<std::string>{"mine:1"});
    EXPECT_EQ(one({"node"}, "threads").values, std::vector<std::string>{"2"});
}

TEST_F(settings, what_excludes_another_yields_to_the_stronger_source) {
    files = {parse("[node]\ncut = \"0-1,2\"\n")};
    EXPECT_EQ(one({"node", "--even", "2"}, "cut").source, SettingSource::fallback);
    EXPECT_EQ(one({"node"}, "cut").source, SettingSource::file);
}

TEST_F(settings, reach_the_tree_that_is_parsed) {
    files = {parse("[node]\nthreads = 3\nnext = [\"a\", \"b\"]\nloud = true\n")};
    environment["TEETEE_NODE_LOUD"] = "false";
    environment["TEETEE_LISTEN"] = "shared:1";
    const auto resolved = resolve({"node", "--threads", "5"});
    ASSERT_TRUE(resolved);
    CLI::App app;
    Session session;
    auto options = std::make_shared<SmallOptions>();
    CLI::App* node = app.add_subcommand("node");
    node->add_option("--listen", options->listen);
    node->add_option("--threads", options->threads);
    node->add_option("--next", options->next);
    node->add_flag("--loud", options->is_loud);
    put_settings(app, *resolved);
    app.parse(std::vector<std::string>{"5", "--threads", "node"});
    EXPECT_EQ(options->listen, "shared:1");
    EXPECT_EQ(options->threads, 5u);
    EXPECT_EQ(options->next, (std::vector<std::string>{"a", "b"}));
    EXPECT_FALSE(options->is_loud);
}

TEST_F(settings, a_variable_of_another_command_is_no_concern) {
    environment["TEETEE_NODE_THREADS"] = "many";
    EXPECT_TRUE(resolve({"attest", "verify"}));
    const auto refused = resolve({"node"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::config_invalid);
    EXPECT_NE(refused.error().detail.find("TEETEE_NODE_THREADS: "), std::string::npos);
}

TEST(settings_check, names_what_is_meant) {
    EXPECT_EQ(refusal("[node]\nlisen = \"a:1\"\n"),
              "c.toml:2: unknown key 'lisen' in [node]: did you mean 'listen'?");
    EXPECT_NE(refusal("[noed]\n")
                  .find("c.toml:1: no command has the table 'noed': did you mean "
                        "[node]?"),
              std::string::npos);
    EXPECT_NE(refusal("[attest.verfy]\n").find("did you mean [attest.verify]?"), std::string::npos);
    EXPECT_NE(refusal("listen = \"a:1\"\n").find("above the first table: it is of [node]"),
              std::string::npos);
    EXPECT_NE(refusal("[node]\nhelp = true\n").find("unknown key"), std::string::npos);
    EXPECT_NE(refusal("[node]\nutterly-other = 1\n").find("unknown key 'utterly-other' in [node]"),
              std::string::npos);
}

TEST(settings_check, refuses_wrong_kinds_and_ranges) {
    EXPECT_EQ(refusal("[node]\nthreads = \"3\"\n"),
              "c.toml:2: threads in [node]: have a string, need a whole number");
    EXPECT_NE(refusal("[node]\nthreads = 2.5\n").find("have a number, need a whole number"),
              std::string::npos);
    EXPECT_NE(refusal("[node]\nthreads = 9\n").find("c.toml:2: threads in [node]: "),
              std::string::npos);
    EXPECT_NE(refusal("[node]\nthreads = [1, 2]\n").find("takes one value, have a list"),
              std::string::npos);
    EXPECT_NE(refusal("[node]\nloud = 1\n").find("need true or false"), std::string::npos);
    EXPECT_NE(refusal("[node]\nkind = \"tsm\"\n").find("tsm not in {auto,dev}"), std::string::npos);
    EXPECT_NE(refusal("[node.listen]\na = 1\n").find("listen: have a table, need a string"),
              std::string::npos);
    EXPECT_EQ(refusal("[node]\nnext = [\"a\"]\n[attest.verify]\nkind = \"x\"\n"), "");
}

TEST(settings_check, shows_no_secret) {
    const std::string told = refusal("[node]\napi-token = \"sesame\"\n");
    EXPECT_NE(told, "");
    EXPECT_EQ(told.find("sesame"), std::string::npos);
}

TEST(settings_names, follow_one_rule) {
    EXPECT_EQ(variable_name({"node"}, "api-tls"), "TEETEE_NODE_API_TLS");
    EXPECT_EQ(variable_name({"attest", "verify"}, "kind"), "TEETEE_ATTEST_VERIFY_KIND");
    EXPECT_EQ(variable_name({}, "json"), "TEETEE_JSON");
    EXPECT_EQ(
        variable_names({"doctor"}, "listen", "TEETEE_LISTEN"),
        (std::vector<std::string>{"TEETEE_DOCTOR_LISTEN", "TEETEE_NODE_LISTEN", "TEETEE_LISTEN"}));
    EXPECT_EQ(nearest_name("kv_memroy", {"kv-memory", "kv-type"}), "kv-memory");
    EXPECT_EQ(nearest_name("something-else", {"kv-memory", "kv-type"}), "");
    EXPECT_EQ(nearest_name("n", {"o"}), "");
    EXPECT_TRUE(is_secret("hub-token"));
    EXPECT_FALSE(is_secret("password-file"));
}

TEST(man_page, holds_every_option_with_its_variable) {
    CLI::App app;
    Session session;
    add_small(app, session);
    const std::string page = man_page(*app.get_subcommand("node"), "1.2");
    EXPECT_NE(page.find(".TH \"TEETEE\\-NODE\" 1"), std::string::npos);
    EXPECT_NE(page.find("\\fB\\-\\-listen\\fR \\fITEXT\\fR"), std::string::npos);
    EXPECT_NE(page.find("TEETEE_NODE_LISTEN\\fR, \\fBTEETEE_LISTEN"), std::string::npos);
    EXPECT_NE(page.find("Range: 0 \\- 8"), std::string::npos);
    EXPECT_NE(page.find("isn\\(aqt it"), std::string::npos);
}

TEST(completion_script, holds_commands_options_and_values) {
    CLI::App app;
    Session session;
    add_small(app, session);
    for (const Shell shell : {Shell::bash, Shell::zsh, Shell::fish}) {
        const std::string script = completion_script(app, shell);
        for (const char* word : {"verify", "listen", "'auto dev'", "loud"})
            EXPECT_NE(script.find(word), std::string::npos) << word;
    }
}

}  // namespace
}  // namespace teetee::cli
