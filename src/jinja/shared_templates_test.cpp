// SPDX-License-Identifier: Apache-2.0
// The public cases of ../shared/data/templates.
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "jinja/template.hpp"

namespace teetee::jinja {
namespace {

const std::filesystem::path folder = std::filesystem::path(TEETEE_SHARED_DATA) / "templates";

std::string read(const std::filesystem::path& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}

/// Cases whose expected text comes from an engine that is not Jinja; Python's raises an error, and
/// so does this one.
const std::map<std::string, std::string, std::less<>> exceptions = {
    {"FOR_LOOP_UNPACKING", "adds a number to a text"},
    {"OBJECT_OPERATORS_2", "adds a number to a text"},
    {"MACROS_2", "adds a number to a text"},
    {"NUMBERS", "the context holds a JavaScript function"},
    {"FUNCTIONS", "the context holds a JavaScript function"},
    {"OBJ_METHODS", "the context holds a JavaScript function"},
    {"FILTER_OPERATOR_7", "'null' is a name, and undefined is not JSON"},
    {"array.pop() with index", "the immutable sandbox refuses pop"},
    {"array.append()", "the immutable sandbox refuses append"},
};

std::string_view field(const boost::json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_string()) return {};
    return {value->get_string().data(), value->get_string().size()};
}

/// What Hugging Face gives: the recorded output of Python's Jinja where the two differ.
std::string_view expected_of(const boost::json::object& item) {
    for (const char* name : {"python_jinja2_output", "pure_jinja2_output"}) {
        if (!field(item, name).empty()) return field(item, name);
    }
    return item.contains("expected") ? field(item, "expected") : field(item, "expected_jinja");
}

void check(const boost::json::object& item) {
    const auto name = field(item, "name");
    Inputs inputs;
    inputs.context = item.at("context").as_object();
    inputs.now = 1752148800;  // 2025-07-10T12:00:00Z, the clock of the cases
    for (const char* token : {"bos_token", "eos_token"}) {
        if (item.contains(token)) inputs.trusted[token] = field(item, token);
    }
    const auto parsed = Template::parse(field(item, "template"));
    ASSERT_TRUE(parsed) << name << ": " << parsed.error().message();
    const auto text = parsed->render(inputs);
    if (exceptions.contains(name) || expected_of(item).starts_with("ERR ")) {
        ASSERT_FALSE(text) << name << " gives " << text->bytes;
        EXPECT_EQ(text.error().code, ErrorCode::template_failed) << name;
        return;
    }
    ASSERT_TRUE(text) << name << ": " << text.error().message();
    EXPECT_EQ(text->bytes, expected_of(item)) << name;
}

void check_file(const char* name) {
    const auto path = folder / "e2e" / name;
    if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
    const auto cases = boost::json::parse(read(path)).as_array();
    ASSERT_FALSE(cases.empty());
    for (const auto& item : cases) check(item.as_object());
}

TEST(jinja_shared, huggingface_end_to_end) {
    check_file("hfjs_jinja_e2e.json");
}
TEST(jinja_shared, huggingface_unit) {
    check_file("hfjs_jinja_unit.json");
}
TEST(jinja_shared, llamacpp_chat_templates) {
    check_file("llamacpp_chat_template_cases.json");
}
TEST(jinja_shared, llamacpp_unit) {
    check_file("llamacpp_test_jinja_cases.json");
}

TEST(jinja_shared, every_published_template_is_read) {
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not here";
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() != ".jinja") continue;
        const auto parsed = Template::parse(read(entry.path()));
        EXPECT_TRUE(parsed) << entry.path() << ": " << parsed.error().message();
        ++count;
    }
    EXPECT_GT(count, 50u);
}

}  // namespace
}  // namespace teetee::jinja
