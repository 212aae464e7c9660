// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "attest/collateral.hpp"
#include "attest/quote.hpp"
#include "base/bytes.hpp"

namespace teetee::attest {

/// Which of Intel's two CAs issues a platform's PCK certificates: the service asks for it by the
/// names "platform" and "processor".
enum class PckCa : uint8_t { platform, processor };

std::string_view to_string(PckCa ca);

/// What collateral is asked for by: every platform of a kind has the same.
struct PlatformId {
    TeeType tee = TeeType::tdx;
    ByteArray<6> fmspc{};
    PckCa ca = PckCa::platform;

    auto operator<=>(const PlatformId&) const = default;
};

/// "tdx-00806f050000-platform": TEE, FMSPC, CA; for logs and names of files.
std::string to_string(const PlatformId& platform);

/// The platform that a quote says it comes from. Nothing is verified: it serves to find the
/// collateral with which the quote is then judged.
/// Errors: those of parse_quote and parse_pck_chain; certificate_malformed;
/// certificate_chain_invalid where the PCK certificate's issuer is neither of the two CAs.
Result<PlatformId> platform_of(ByteView quote);

/// The platform that collateral speaks of. Errors: collateral_mismatch where its documents are of
/// two TEEs; certificate_chain_invalid as above.
Result<PlatformId> platform_of(const VerifiedCollateral& collateral);

/// Where collateral comes from while a node runs: it comes anew every month, and may say at any
/// time that a platform is outdated or revoked. Called on one thread.
class CollateralSource {
  public:
    virtual ~CollateralSource() = default;
    /// Verified and in date; null where there is none now.
    virtual std::shared_ptr<const VerifiedCollateral> find(const PlatformId& platform) = 0;
    /// There is a use for this platform's collateral: a source that can fetch begins to. For
    /// platforms of which a quote has been verified but for collateral, since anybody can make up
    /// the others.
    virtual void want(const PlatformId&) {}
    /// Another number whenever find may answer otherwise than before: verdicts reached earlier are
    /// to be reached again.
    virtual uint64_t version() const = 0;
};

/// The collateral with which to judge a quote. Null where there is no source, where it has none,
/// and where the quote names no platform: its verification says what is wrong with it.
std::shared_ptr<const VerifiedCollateral> find_collateral(CollateralSource* source, ByteView quote);

/// After a verdict on the quote: where nothing but collateral was missing, the source is to get it.
void want_missing(CollateralSource* source, ByteView quote, const Error& verdict);

}  // namespace teetee::attest
