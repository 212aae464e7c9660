// SPDX-License-Identifier: Apache-2.0
#include "base/world.hpp"

#include <sys/random.h>

#include "base/assert.hpp"

namespace teetee {

Instant SystemClock::now() const {
    return std::chrono::steady_clock::now().time_since_epoch();
}

UnixSeconds SystemClock::unix_now() const {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

void SystemRng::fill(std::span<uint8_t> out) {
    size_t done = 0;
    while (done < out.size()) {
        const ssize_t n = getrandom(out.data() + done, out.size() - done, 0);
        // Without entropy nothing this process does can be trusted.
        TT_ASSERT(n > 0);
        done += static_cast<size_t>(n);
    }
}

}  // namespace teetee
