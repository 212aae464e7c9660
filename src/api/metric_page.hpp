// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/histogram.hpp"

namespace teetee::api {

enum class MetricType { counter, gauge, histogram };
/// As the text format has it.
std::string_view to_string(MetricType type);

struct MetricInfo {
    std::string_view name;
    MetricType type = MetricType::gauge;
    /// Names, with a space between them; "" for none. A value MUST come from a set that no client
    /// and no peer can make grow.
    std::string_view labels;
    std::string_view help;
};

/// All metrics that nodes have, in the order in which they are shown (docs/operations.md).
std::span<const MetricInfo> metric_catalogue();

/// One answer to a scrape: samples of metrics that the catalogue has.
class MetricPage {
  public:
    /// Of the catalogue's labels, in its order.
    using Labels = std::vector<std::string>;

    void add(std::string_view name, double value, Labels labels = {});
    void add(std::string_view name, uint64_t value, Labels labels = {}) {
        add(name, static_cast<double>(value), std::move(labels));
    }
    void add(std::string_view name, const Histogram& histogram, Labels labels = {});

    /// Prometheus' text format 0.0.4. A metric without a sample is not there.
    std::string text() const;

  private:
    struct Family;
    Family family(std::string_view name, Labels labels);

    /// The lines of the samples of each metric, by its place in the catalogue.
    std::map<size_t, std::string> samples_;
};

}  // namespace teetee::api
