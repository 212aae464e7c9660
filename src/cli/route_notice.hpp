// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "client/verified_entry.hpp"

namespace teetee::cli {

/// What people are told of a route that was verified; the warning of simulated TEEs stands in a
/// line of its own.
std::string route_notice(const client::VerifiedEntry::Route& route);

}  // namespace teetee::cli
