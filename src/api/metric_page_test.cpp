// SPDX-License-Identifier: Apache-2.0
#include "api/metric_page.hpp"

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "api/process_status.hpp"

namespace teetee::api {
namespace {

std::string read(const std::string& path) {
    std::ifstream file(std::string(TEETEE_SOURCE_DIR) + "/" + path);
    std::stringstream out;
    out << file.rdbuf();
    return out.str();
}

TEST(metric_page, writes_help_type_and_samples_in_the_order_of_the_catalogue) {
    MetricPage page;
    page.add("teetee_peer_up", uint64_t{1}, {"0xab", "4-7"});
    page.add("teetee_completion_tokens_total", uint64_t{12'345'678'901});
    page.add("teetee_peer_up", uint64_t{0}, {"0xcd", "0-3"});
    EXPECT_EQ(page.text(),
              "# HELP teetee_completion_tokens_total Tokens delivered\n"
              "# TYPE teetee_completion_tokens_total counter\n"
              "teetee_completion_tokens_total 12345678901\n"
              "# HELP teetee_peer_up 1 while there is a link to the node\n"
              "# TYPE teetee_peer_up gauge\n"
              "teetee_peer_up{peer=\"0xab\",stage=\"4-7\"} 1\n"
              "teetee_peer_up{peer=\"0xcd\",stage=\"0-3\"} 0\n");
}

TEST(metric_page, buckets_of_histograms_are_cumulative_and_end_with_infinity) {
    static constexpr std::array<double, 2> bounds = {0.5, 2};
    Histogram histogram(bounds);
    for (const double value : {0.25, 1.0, 1.0, 9.0}) histogram.add(value);
    MetricPage page;
    page.add("teetee_stage_wait_seconds", histogram, {"4-7"});
    const std::string text = page.text();
    EXPECT_NE(text.find("# TYPE teetee_stage_wait_seconds histogram\n"), std::string::npos);
    for (const char* line :
         {"_count{stage=\"4-7\"} 4\n", "_sum{stage=\"4-7\"} 11.25\n",
          "_bucket{stage=\"4-7\",le=\"0.5\"} 1\n", "_bucket{stage=\"4-7\",le=\"2\"} 3\n",
          "_bucket{stage=\"4-7\",le=\"+Inf\"} 4\n"}) {
        EXPECT_NE(text.find("teetee_stage_wait_seconds" + std::string(line)), std::string::npos)
            << line << text;
    }
}

TEST(metric_page, escapes_values_of_labels) {
    MetricPage page;
    page.add("teetee_links_refused_total", uint64_t{1}, {"a\"b\\c\nteetee_ready 1"});
    EXPECT_NE(page.text().find("{code=\"a\\\"b\\\\c\\nteetee_ready 1\"} 1\n"), std::string::npos)
        << page.text();
}

TEST(metric_page, every_metric_is_named_as_prometheus_wants_it) {
    std::set<std::string_view> names;
    const std::regex name_form("(teetee|process)(_[a-z0-9]+)+");
    // "le" is the buckets'.
    const std::regex labels_form("((?!le\\b)[a-z]+( (?!le\\b)[a-z]+)*)?");
    for (const MetricInfo& info : metric_catalogue()) {
        const std::string name(info.name);
        EXPECT_TRUE(names.insert(info.name).second) << name;
        EXPECT_TRUE(std::regex_match(name, name_form)) << name;
        EXPECT_TRUE(std::regex_match(std::string(info.labels), labels_form)) << name;
        EXPECT_EQ(name.ends_with("_total"), info.type == MetricType::counter) << name;
        EXPECT_FALSE(info.help.empty() || info.help.ends_with('.')) << name;
    }
}

/// | `name` | type | labels | what |
TEST(metric_page, the_document_has_the_same_metrics) {
    std::map<std::string, std::string> documented;
    std::istringstream lines(read("docs/operations.md"));
    const std::regex row(R"(\| `((?:teetee|process)_[a-z0-9_]+)` \| (\w+) \| ([a-z, ]*) ?\|.*)");
    for (std::string line; std::getline(lines, line);) {
        std::smatch match;
        if (!std::regex_match(line, match, row)) continue;
        std::string labels = std::regex_replace(match[3].str(), std::regex(","), "");
        while (labels.ends_with(' ')) labels.pop_back();
        EXPECT_TRUE(documented.emplace(match[1], match[2].str() + " " + labels).second) << line;
    }
    std::map<std::string, std::string> exported;
    for (const MetricInfo& info : metric_catalogue()) {
        exported.emplace(info.name,
                         std::string(to_string(info.type)) + " " + std::string(info.labels));
    }
    EXPECT_EQ(documented, exported);
}

TEST(process_status, is_this_process) {
    const auto status = read_process_status(time(nullptr));
    ASSERT_TRUE(status);
    EXPECT_GT(status->resident_bytes, 1'000'000u);
    EXPECT_GE(status->threads, 1u);
    EXPECT_GE(status->open_files, 3u);
    EXPECT_GE(status->files_max, status->open_files);
    EXPECT_GT(status->started_at, static_cast<double>(time(nullptr) - 3600));
    EXPECT_LE(status->started_at, static_cast<double>(time(nullptr)) + 1);
    std::ifstream file("/proc/self/stat");
    const auto again = read_process_status(time(nullptr));
    EXPECT_EQ(again->open_files, status->open_files + 1);
}

}  // namespace
}  // namespace teetee::api
