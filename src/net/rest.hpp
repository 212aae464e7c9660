// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>

#include "base/world.hpp"

namespace teetee::net {

/// Waits on the calling thread, for what tries again.
void rest(Duration time);

/// Waits so long, or until a stop is requested.
void wait_for(Duration time, const std::stop_token& stop);

}  // namespace teetee::net
