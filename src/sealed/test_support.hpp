// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/world.hpp"

namespace teetee::sealed {

/// 0, 1, 2, ... for tests whose bytes are known.
class CountingRng final : public Rng {
  public:
    void fill(std::span<uint8_t> out) override {
        for (uint8_t& byte : out) byte = next_++;
    }

  private:
    uint8_t next_ = 0;
};

}  // namespace teetee::sealed
