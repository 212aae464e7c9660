// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include "attest/dev_pki.hpp"
#include "attest/evidence.hpp"
#include "attest/intel.hpp"
#include "attest/quote.hpp"
#include "base/world.hpp"
#include "crypto/p256.hpp"

namespace teetee::attest {

/// What the simulated TD claims to be.
struct DevMeasurements {
    Measurement mrtd{};
    std::array<Measurement, 4> rtmr{};
    Measurement mrconfigid{};
    uint64_t tdattributes = td_attribute_sept_ve_disable;
};

/// A TEE for laptops and tests: quotes of the production format under a root made from a seed.
/// The production verifier accepts them where the policy pins that root and allows simulation,
/// and nowhere else. Everything is a function of the inputs: nodes with one seed have one root.
class DevTee final : public EvidenceProvider {
  public:
    /// PCK certificates are valid from a day before `now` for a year; the root from 1970 to 2049.
    /// Error: crypto_failed, invalid_argument for a time that X.509 cannot write.
    static Result<DevTee> create(const ByteArray<32>& seed, const DevMeasurements& measurements,
                                 UnixSeconds now);

    /// The root certificate, for the policy's list.
    const std::string& root_pem() const { return root_pem_; }
    /// What Intel would publish for this platform: see DevPki::collateral.
    Result<Collateral> collateral(UnixSeconds now) const { return pki_.collateral(now); }

    Result<Bytes> quote(const ByteArray<64>& report_data) override;
    Result<crypto::Secret<32>> sealing_key(std::string_view purpose) override;
    bool simulated() const override { return true; }

  private:
    DevTee(const DevMeasurements& measurements, DevPki pki, crypto::P256Key attestation_key,
           crypto::Secret<32> sealing_root)
        : measurements_(measurements),
          pki_(std::move(pki)),
          attestation_key_(std::move(attestation_key)),
          sealing_root_(std::move(sealing_root)) {}

    DevMeasurements measurements_;
    DevPki pki_;
    crypto::P256Key attestation_key_;
    crypto::Secret<32> sealing_root_;
    std::string root_pem_;
    /// QE report, its signature, auth data and PCK chain: the same for every quote.
    Bytes certification_;
};

}  // namespace teetee::attest
