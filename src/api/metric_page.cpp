// SPDX-License-Identifier: Apache-2.0
#include "api/metric_page.hpp"

#include <algorithm>
#include <limits>
#include <prometheus/text_serializer.h>

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

}  // namespace

prometheus::ClientMetric& MetricPage::sample(std::string_view name, Labels labels,
                                             bool is_histogram) {
    const auto catalogue = metric_catalogue();
    const auto info = std::ranges::find(catalogue, name, &MetricInfo::name);
    TT_ASSERT(info != catalogue.end());
    TT_ASSERT((info->type == prometheus::MetricType::Histogram) == is_histogram);
    prometheus::MetricFamily& family = families_[static_cast<size_t>(info - catalogue.begin())];
    family.name = info->name;
    family.help = info->help;
    family.type = info->type;
    const auto names = words(info->labels);
    TT_ASSERT(names.size() == labels.size());
    prometheus::ClientMetric& out = family.metric.emplace_back();
    for (size_t i = 0; i < names.size(); ++i)
        out.label.push_back({std::string(names[i]), std::move(labels[i])});
    return out;
}

void MetricPage::add(std::string_view name, double value, Labels labels) {
    prometheus::ClientMetric& out = sample(name, std::move(labels), false);
    // Which of the two counts, the family's type says.
    out.counter.value = out.gauge.value = value;
}

void MetricPage::add(std::string_view name, const Histogram& histogram, Labels labels) {
    prometheus::ClientMetric::Histogram& out = sample(name, std::move(labels), true).histogram;
    out.sample_count = histogram.count();
    out.sample_sum = histogram.sum();
    uint64_t below = 0;
    for (size_t i = 0; i < histogram.counts().size(); ++i) {
        below += histogram.counts()[i];
        const bool is_last = i == histogram.bounds().size();
        out.bucket.push_back(
            {below, is_last ? std::numeric_limits<double>::infinity() : histogram.bounds()[i]});
    }
}

std::string MetricPage::text() const {
    std::vector<prometheus::MetricFamily> families;
    families.reserve(families_.size());
    for (const auto& [place, family] : families_) families.push_back(family);
    return prometheus::TextSerializer().Serialize(families);
}

}  // namespace teetee::api
