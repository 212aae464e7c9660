// SPDX-License-Identifier: Apache-2.0
#include "attest/pck.hpp"

#include <algorithm>

#include <openssl/x509v3.h>

#include "attest/der.hpp"
#include "attest/intel.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

Error malformed(std::string detail) {
    return fail(ErrorCode::certificate_malformed, "SGX extension: " + std::move(detail));
}

// The last arc of an identifier that lies directly below `parent`.
Result<uint8_t> arc_below(ByteView parent, ByteView oid) {
    if (oid.size() != parent.size() + 1 || !std::equal(parent.begin(), parent.end(), oid.begin()) ||
        oid.back() >= 0x80) {
        return malformed("foreign identifier " +
                         to_hex(oid.first(std::min<size_t>(16, oid.size()))));
    }
    return oid.back();
}

// Each entry once, and those that are needed all there.
class SeenArcs {
  public:
    Result<void> mark(uint8_t arc) {
        const uint64_t bit = uint64_t{1} << (arc & 63);
        if (arc >= 64) return malformed("have entry " + std::to_string(arc) + ", need below 64");
        if ((seen_ & bit) != 0) return malformed("entry " + std::to_string(arc) + " twice");
        seen_ |= bit;
        return {};
    }
    Result<void> require(uint8_t first, uint8_t last) const {
        for (uint8_t arc = first; arc <= last; ++arc) {
            if ((seen_ >> arc & 1) == 0) return malformed("no entry " + std::to_string(arc));
        }
        return {};
    }

  private:
    uint64_t seen_ = 0;
};

// SEQUENCE of {arc, value}: 1..16 component SVNs, 17 PCESVN, 18 CPUSVN.
Result<void> parse_tcb(ByteView der, PckPlatform& platform) {
    DerReader entries(der);
    SeenArcs seen;
    while (!entries.at_end()) {
        TT_TRY(const ByteView contents, entries.read(DerTag::sequence));
        DerReader entry(contents);
        TT_TRY(const ByteView oid, entry.read(DerTag::object_identifier));
        TT_TRY(const uint8_t arc, arc_below(sgx_tcb_oid, oid));
        TT_CHECK(seen.mark(arc));
        if (arc >= 1 && arc <= 16) {
            TT_TRY(const uint16_t svn, entry.read_integer(0xff));
            platform.tcb_components[arc - 1u] = static_cast<uint8_t>(svn);
        } else if (arc == 17) {
            TT_TRY(platform.pcesvn, entry.read_integer(0xffff));
        } else if (arc == 18) {
            TT_TRY(platform.cpusvn, entry.read_octets<16>());
        } else {
            return malformed("foreign TCB entry " + std::to_string(arc));
        }
        if (!entry.at_end()) return malformed("bytes behind TCB entry " + std::to_string(arc));
    }
    return seen.require(1, 18);
}

}  // namespace

TrustedRoots TrustedRoots::intel() {
    TrustedRoots roots;
    roots.add_intel();
    return roots;
}

void TrustedRoots::add_intel() {
    roots_.push_back({intel_root_fingerprint, {}});
}

Result<void> TrustedRoots::add_pem(std::string_view pem) {
    TT_TRY(const auto certificates, parse_pem_certificates(as_bytes(pem), 1));
    if (certificates.empty()) {
        return fail(ErrorCode::certificate_malformed, "trusted root: have no certificate, need 1");
    }
    roots_.push_back({crypto::sha256(certificates[0].der), std::string(pem)});
    return {};
}

bool TrustedRoots::contains(const Digest& fingerprint) const {
    return std::any_of(roots_.begin(), roots_.end(),
                       [&](const Root& root) { return root.fingerprint == fingerprint; });
}

Result<void> verify_pinned(const Certificate& root, const TrustedRoots& roots) {
    const Digest fingerprint = crypto::sha256(root.der);
    if (roots.contains(fingerprint)) return {};
    return fail(ErrorCode::root_untrusted,
                "root: have SHA-256 " + to_hex(fingerprint) + ", need one that is pinned");
}

Result<PckChain> parse_pck_chain(ByteView pem, const IssuerChain* known) {
    std::vector<Certificate> known_certificates;
    if (known != nullptr) known_certificates = {known->signer, known->root};
    TT_TRY(auto certificates, parse_pem_certificates(pem, 3, known_certificates));
    if (certificates.size() != 3) {
        return fail(
            ErrorCode::certificate_chain_invalid,
            "PCK chain: have " + std::to_string(certificates.size()) + " certificates, need 3");
    }
    return PckChain{.leaf = std::move(certificates[0]),
                    .intermediate = std::move(certificates[1]),
                    .root = std::move(certificates[2])};
}

Result<PckPlatform> parse_sgx_extension(ByteView der) {
    DerReader outer(der);
    TT_TRY(const ByteView list, outer.read(DerTag::sequence));
    if (!outer.at_end()) return malformed("bytes behind its end");
    PckPlatform platform;
    DerReader entries(list);
    SeenArcs seen;
    while (!entries.at_end()) {
        TT_TRY(const ByteView contents, entries.read(DerTag::sequence));
        DerReader entry(contents);
        TT_TRY(const ByteView oid, entry.read(DerTag::object_identifier));
        TT_TRY(const uint8_t arc, arc_below(sgx_extension_oid, oid));
        TT_CHECK(seen.mark(arc));
        switch (arc) {
            case 1: {
                TT_TRY(platform.ppid, entry.read_octets<16>());
                break;
            }
            case 2: {
                TT_TRY(const ByteView tcb, entry.read(DerTag::sequence));
                TT_CHECK(parse_tcb(tcb, platform));
                break;
            }
            case 3: {
                TT_TRY(platform.pceid, entry.read_octets<2>());
                break;
            }
            case 4: {
                TT_TRY(platform.fmspc, entry.read_octets<6>());
                break;
            }
            case 6: {
                TT_TRY(platform.platform_instance_id, entry.read_octets<16>());
                break;
            }
            default:
                // SGX type, configuration, and what Intel may add: signed, and not asked about.
                TT_CHECK(entry.skip());
        }
        if (!entry.at_end()) return malformed("bytes behind entry " + std::to_string(arc));
    }
    TT_CHECK(seen.require(1, 4));
    return platform;
}

Result<VerifiedPck> verify_pck_chain(const PckChain& chain, const TrustedRoots& roots,
                                     UnixSeconds now, const IssuerChain* verified_ca) {
    TT_CHECK(verify_pinned(chain.root, roots));
    VerifiedPck verified;
    verified.root_fingerprint = crypto::sha256(chain.root.der);
    const bool ca_is_verified = verified_ca != nullptr &&
                                verified_ca->signer.der == chain.intermediate.der &&
                                verified_ca->root.der == chain.root.der;
    if (!ca_is_verified) {
        TT_CHECK(verify_issued({.subject = chain.intermediate, .issuer = chain.root}));
    }
    TT_CHECK(verify_issued({.subject = chain.leaf, .issuer = chain.intermediate}));
    // -1 stands for no limit; the root must allow one CA below it.
    if (X509_get_pathlen(chain.root.x509.get()) == 0) {
        return fail(ErrorCode::certificate_chain_invalid,
                    "PCK chain: root has path length 0, need at least 1");
    }
    if (X509_check_ca(chain.leaf.x509.get()) != 0) {
        return fail(ErrorCode::certificate_chain_invalid, "PCK chain: leaf is a CA");
    }
    if ((X509_get_key_usage(chain.leaf.x509.get()) & KU_DIGITAL_SIGNATURE) == 0) {
        return fail(ErrorCode::certificate_chain_invalid, "PCK chain: leaf may not sign");
    }
    verified.validity = chain.leaf.validity;
    for (const Certificate* certificate : {&chain.root, &chain.intermediate, &chain.leaf}) {
        TT_CHECK(verify_in_date(*certificate, now));
        const Validity& own = certificate->validity;
        verified.validity = {std::max(verified.validity.not_before, own.not_before),
                             std::min(verified.validity.not_after, own.not_after)};
    }
    TT_TRY(const auto extension, find_extension(chain.leaf, sgx_extension_oid));
    if (!extension) return malformed("missing in the PCK certificate");
    TT_TRY(verified.platform, parse_sgx_extension(*extension));
    verified.key = chain.leaf.public_key;
    verified.serial = chain.leaf.serial;
    verified.ca_serial = chain.intermediate.serial;
    verified.ca_name_der = chain.intermediate.subject_der;
    verified.ca_key = chain.intermediate.public_key;
    return verified;
}

}  // namespace teetee::attest
