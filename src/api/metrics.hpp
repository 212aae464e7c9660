// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_message.hpp"
#include "node/node.hpp"

namespace teetee::api {

/// Counters and gauges of the entry in Prometheus' text format 0.0.4. Nothing in it is of one
/// request or one tenant.
net::HttpResponse metrics(const node::NodeStatus& status);

}  // namespace teetee::api
