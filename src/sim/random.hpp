// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace teetee::sim {

/// splitmix64 (Steele, Lea, Flood 2014): the same numbers on every platform, which the
/// distributions of the standard library do not promise.
class Random {
  public:
    explicit Random(uint64_t seed) : state_(seed) {}

    uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    /// In [0, end); end is not 0. The bias of the remainder is below 2^-32 for the ends used here.
    uint64_t below(uint64_t end) { return next() % end; }
    /// In [1, last].
    uint64_t up_to(uint64_t last) { return 1 + below(last); }
    /// A generator of its own, so that more draws from one do not shift the others.

  private:
    uint64_t state_;
};

inline uint64_t mix(uint64_t a, uint64_t b) {
    return Random(a * 31 + b).next();
}

}  // namespace teetee::sim
