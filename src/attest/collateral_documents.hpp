// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "attest/collateral.hpp"
#include "attest/collateral_source.hpp"

namespace teetee::attest {

/// What collateral was verified from, for others who are to verify it as well.
class CollateralDocuments {
  public:
    virtual ~CollateralDocuments() = default;
    /// Of the collateral that is held for this platform and in date; nullopt without.
    virtual std::optional<Collateral> documents(const PlatformId& platform) const = 0;
};

}  // namespace teetee::attest
