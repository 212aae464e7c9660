// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string_view>
#include <utility>

#include "base/histogram.hpp"

namespace teetee::api {

/// What requests to the API came to since the start. On the loop's thread only.
struct HttpMeter {
    /// By the pattern of the path, as the table of routes has it, and the status' first digit; 0
    /// where the client had gone before any.
    std::map<std::pair<std::string_view, int>, uint64_t> requests;
    size_t in_flight = 0;
    Histogram request{seconds_buckets};
    Histogram first_token{seconds_buckets};
    Histogram token_rate{rate_buckets};
};

}  // namespace teetee::api
