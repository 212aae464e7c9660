// SPDX-License-Identifier: Apache-2.0
#include "cli/route_notice.hpp"

#include <fmt/format.h>

namespace teetee::cli {

std::string route_notice(const client::VerifiedEntry::Route& route) {
    std::string out = fmt::format(
        "verified: {} node{}, every layer covered, code and weights as the policy asks\n",
        route.node_count, route.node_count == 1 ? "" : "s");
    if (route.simulated) {
        out +=
            "SIMULATED: these TEEs are made for development and protect nothing; do not enter "
            "secrets\n";
    }
    return out;
}

}  // namespace teetee::cli
