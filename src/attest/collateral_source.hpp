// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>

#include "attest/collateral.hpp"
#include "attest/quote.hpp"
#include "base/bytes.hpp"

namespace teetee::attest {

/// Which of Intel's two CAs issues a platform's PCK certificates: the service asks for it by the
/// names "platform" and "processor".
enum class PckCa : uint8_t { platform, processor };

/// What collateral is asked for by: every platform of a kind has the same.
struct PlatformId {
    TeeType tee = TeeType::tdx;
    ByteArray<6> fmspc{};
    PckCa ca = PckCa::platform;

    auto operator<=>(const PlatformId&) const = default;
};

/// The platform that a quote says it comes from. Nothing is verified: it serves to find the
/// collateral with which the quote is then judged.
/// Errors: those of parse_quote and parse_pck_chain; certificate_chain_invalid where the PCK
/// certificate's issuer is neither of the two CAs.
Result<PlatformId> platform_of(ByteView quote);

/// Where collateral comes from while a node runs: it comes anew every month, and may say at any
/// time that a platform is outdated or revoked. Called on one thread.
class CollateralSource {
  public:
    virtual ~CollateralSource() = default;
    /// Verified and in date; null where there is none now. A source that can fetch begins to.
    virtual std::shared_ptr<const VerifiedCollateral> find(const PlatformId& platform) = 0;
    /// Another number whenever find may answer otherwise than before: verdicts reached earlier are
    /// to be reached again.
    virtual uint64_t version() const = 0;
};

}  // namespace teetee::attest
