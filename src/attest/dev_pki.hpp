// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "attest/certificate_builder.hpp"
#include "attest/collateral.hpp"

namespace teetee::attest {

/// Intel's part in the dev TEE: a root, the CA of a simulated platform, its PCK key, and a signer
/// of documents, all made from a seed. What it signs has the production format; every name in it
/// says that it is simulated.
class DevPki {
  public:
    /// Error: crypto_failed.
    static Result<DevPki> create(const ByteArray<32>& seed);

    /// Valid from 1970 to 2049, so that it is the same whenever it is made. PEM.
    Result<std::string> root_pem() const;
    /// PCK certificate, platform CA and root, valid from a day before `now` for a year. PEM.
    Result<std::string> pck_chain(UnixSeconds now) const;
    /// Collateral in which the simulated platform is up to date: issued a day before `now`, for 30
    /// days as Intel's.
    Result<Collateral> collateral(UnixSeconds now) const;

    const crypto::P256Key& root_key() const { return root_; }
    const crypto::P256Key& platform_ca_key() const { return platform_ca_; }
    const crypto::P256Key& pck_key() const { return pck_; }
    const crypto::P256Key& document_key() const { return documents_; }

    // The parts of the above, for those who make other collateral of them.
    static CrlFields root_crl_fields(UnixSeconds now);
    static CrlFields pck_crl_fields(UnixSeconds now);
    static std::string tcb_info(UnixSeconds now);
    static std::string qe_identity(UnixSeconds now);
    Result<SignedDocument> sign_document(std::string body) const;
    CertificateFields pck_fields(UnixSeconds now) const;
    CertificateFields platform_ca_fields(UnixSeconds now) const;
    CertificateFields document_signer_fields(UnixSeconds now) const;
    CertificateFields root_fields() const;

  private:
    DevPki(const ByteArray<32>& seed, crypto::P256Key root, crypto::P256Key platform_ca,
           crypto::P256Key pck, crypto::P256Key documents)
        : seed_(seed),
          root_(std::move(root)),
          platform_ca_(std::move(platform_ca)),
          pck_(std::move(pck)),
          documents_(std::move(documents)) {}

    ByteArray<32> seed_;
    crypto::P256Key root_;
    crypto::P256Key platform_ca_;
    crypto::P256Key pck_;
    crypto::P256Key documents_;
};

/// A seed for one purpose from the dev TEE's.
Digest derive_dev_seed(const ByteArray<32>& seed, std::string_view purpose);

}  // namespace teetee::attest
