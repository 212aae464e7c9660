// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/world.hpp"

namespace teetee {

/// Up to a quarter sooner, so that those who begin together do not go on together.
inline Duration with_jitter(Duration time, Rng& rng) {
    ByteArray<1> random;
    rng.fill(random);
    return time - time / 1024 * random[0];
}

}  // namespace teetee
