// SPDX-License-Identifier: Apache-2.0
#include "api/metric_page.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/assert.hpp"

namespace teetee::api {
namespace {

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const size_t end = std::min(text.find(' '), text.size());
        out.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string escaped(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == '\\' || c == '"') out += '\\';
        out += c == '\n' ? "\\n" : std::string(1, c);
    }
    return out;
}

/// The shortest that is this number; whole ones without an exponent, for people.
std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    constexpr double whole_max = 9007199254740992;
    if (value == std::trunc(value) && std::abs(value) < whole_max)
        return fmt::format("{:.0f}", value);
    return fmt::format("{}", value);
}

}  // namespace

std::string_view to_string(MetricType type) {
    switch (type) {
        case MetricType::counter:
            return "counter";
        case MetricType::gauge:
            return "gauge";
        case MetricType::histogram:
            break;
    }
    return "histogram";
}

/// Where samples of one metric with the same labels are written.
struct MetricPage::Family {
    const MetricInfo& info;
    std::string labels;
    std::string& lines;

    void add(std::string_view ending, double value, std::string_view bucket = "") const {
        std::string all = labels;
        if (!bucket.empty()) all += fmt::format("{}le=\"{}\"", all.empty() ? "" : ",", bucket);
        if (!all.empty()) all = "{" + all + "}";
        lines += fmt::format("{}{}{} {}\n", info.name, ending, all, number(value));
    }
};

MetricPage::Family MetricPage::family(std::string_view name, Labels labels) {
    const auto catalogue = metric_catalogue();
    const auto info = std::ranges::find(catalogue, name, &MetricInfo::name);
    TT_ASSERT(info != catalogue.end());
    const auto names = words(info->labels);
    TT_ASSERT(names.size() == labels.size());
    std::string text;
    for (size_t i = 0; i < names.size(); ++i)
        text += fmt::format("{}{}=\"{}\"", i == 0 ? "" : ",", names[i], escaped(labels[i]));
    return {*info, std::move(text), samples_[static_cast<size_t>(info - catalogue.begin())]};
}

void MetricPage::add(std::string_view name, double value, Labels labels) {
    const Family all = family(name, std::move(labels));
    TT_ASSERT(all.info.type != MetricType::histogram);
    all.add("", value);
}

void MetricPage::add(std::string_view name, const Histogram& histogram, Labels labels) {
    const Family all = family(name, std::move(labels));
    TT_ASSERT(all.info.type == MetricType::histogram);
    all.add("_count", static_cast<double>(histogram.count()));
    all.add("_sum", histogram.sum());
    uint64_t below = 0;
    for (size_t i = 0; i < histogram.counts().size(); ++i) {
        below += histogram.counts()[i];
        const bool is_last = i == histogram.bounds().size();
        all.add("_bucket", static_cast<double>(below),
                is_last ? "+Inf" : number(histogram.bounds()[i]));
    }
}

std::string MetricPage::text() const {
    std::string out;
    for (const auto& [place, lines] : samples_) {
        // Helps are this program's own, without a line's end or a backslash.
        const MetricInfo& info = metric_catalogue()[place];
        out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", info.name, info.help,
                           to_string(info.type));
        out += lines;
    }
    return out;
}

}  // namespace teetee::api
