// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/world.hpp"

namespace teetee::net {

/// Waits on the calling thread, for what tries again.
void rest(Duration time);

}  // namespace teetee::net
