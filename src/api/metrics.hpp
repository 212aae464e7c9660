// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "api/http_meter.hpp"
#include "net/http_message.hpp"
#include "node/money_report.hpp"
#include "node/node.hpp"

namespace teetee::api {

/// What a scrape is answered from. References MUST outlive it.
struct MetricSources {
    const node::Node& node;
    const Clock& clock;
    /// Of an entry's API; null: it has none.
    const HttpMeter* http = nullptr;
    /// Empty: on no chain.
    std::function<node::MoneyReport()> money{};
};

/// All that is known of the node now, in Prometheus' text format 0.0.4; docs/operations.md says
/// what each metric is. Nothing in it is of one request or one tenant.
net::HttpResponse metrics(const MetricSources& sources);

}  // namespace teetee::api
