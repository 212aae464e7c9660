// SPDX-License-Identifier: Apache-2.0
#include "attest/snp_certificates.hpp"

#include <algorithm>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "attest/der.hpp"
#include "attest/limits.hpp"
#include "attest/x509.hpp"
#include "crypto/hash.hpp"
#include "crypto/openssl.hpp"

namespace teetee::attest {
namespace {

constexpr size_t issuers_max = 4;
constexpr int rsa_bits = 4096;
constexpr std::string_view pem_begin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view pem_end = "-----END CERTIFICATE-----";
constexpr std::string_view white_space = " \t\r\n";

/// 1.3.6.1.4.1.3704.1, contents octets; the extensions and in .3 the security versions lie below.
constexpr ByteArray<8> amd_oid = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01};
constexpr uint8_t arc_tcb = 3;
constexpr uint8_t arc_chip_id = 4;
constexpr uint8_t arc_cloud_id = 5;

struct AmdCertificate {
    crypto::X509Ptr x509;
    Digest fingerprint{};
    Validity validity;
    std::string name;
};

Error malformed(std::string detail) {
    return fail(ErrorCode::certificate_malformed, std::move(detail));
}

Error chain_invalid(const AmdCertificate& certificate, std::string_view detail) {
    return crypto::openssl_fail(ErrorCode::certificate_chain_invalid,
                                certificate.name + ": " + std::string(detail));
}

std::string common_name(const X509_NAME* name) {
    const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0) return {};
    const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    return std::string(
        as_text({ASN1_STRING_get0_data(text), static_cast<size_t>(ASN1_STRING_length(text))}));
}

Result<AmdCertificate> parse_amd_certificate(ByteView der) {
    if (der.size() > certificate_bytes_max) {
        return malformed("certificate: have " + std::to_string(der.size()) +
                         " bytes, need at most " + std::to_string(certificate_bytes_max));
    }
    const uint8_t* cursor = der.data();
    AmdCertificate out;
    out.x509.reset(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
    if (out.x509 == nullptr) {
        return crypto::openssl_fail(ErrorCode::certificate_malformed, "certificate: not DER");
    }
    if (cursor != der.data() + der.size()) return malformed("certificate: bytes behind its end");
    out.fingerprint = crypto::sha256(der);
    out.name = quote_foreign(common_name(X509_get_subject_name(out.x509.get())));
    const uint32_t flags = X509_get_extension_flags(out.x509.get());
    ERR_clear_error();
    if (X509_get_version(out.x509.get()) != X509_VERSION_3 ||
        (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL)) != 0) {
        return malformed(out.name + ": have unreadable extensions, need version 3 and known ones");
    }
    const auto validity = validity_of(*out.x509);
    if (!validity) return malformed(out.name + ": have no readable validity, need one");
    out.validity = *validity;
    return out;
}

// Other text between the certificates is refused, as everywhere here.
Result<std::vector<AmdCertificate>> parse_issuers(ByteView pem) {
    std::string_view text = as_text(pem);
    std::vector<AmdCertificate> out;
    const auto skip_white_space = [&text] {
        text.remove_prefix(std::min(text.find_first_not_of(white_space), text.size()));
    };
    for (skip_white_space(); !text.empty(); skip_white_space()) {
        const size_t end = text.find(pem_end);
        if (out.size() == issuers_max || !text.starts_with(pem_begin) ||
            end == std::string_view::npos) {
            return malformed("issuers: need at most " + std::to_string(issuers_max) +
                             " PEM certificates and nothing else");
        }
        std::string base64(text.substr(pem_begin.size(), end - pem_begin.size()));
        std::erase_if(base64, [](char c) { return white_space.find(c) != std::string_view::npos; });
        const auto der = from_base64(base64);
        if (!der) return malformed("issuers: PEM: " + der.error().detail);
        TT_TRY(auto certificate, parse_amd_certificate(*der));
        out.push_back(std::move(certificate));
        text.remove_prefix(end + pem_end.size());
    }
    return out;
}

Result<const AmdCertificate*> find_issuer(const AmdCertificate& subject,
                                          const std::vector<AmdCertificate>& issuers) {
    const X509_NAME* wanted = X509_get_issuer_name(subject.x509.get());
    for (const AmdCertificate& issuer : issuers) {
        if (X509_NAME_cmp(wanted, X509_get_subject_name(issuer.x509.get())) == 0) return &issuer;
    }
    return fail(ErrorCode::certificate_chain_invalid,
                subject.name + ": have no certificate of its issuer, need that of " +
                    quote_foreign(common_name(wanted)));
}

struct AmdLink {
    const AmdCertificate& subject;
    const AmdCertificate& issuer;
};

Result<void> verify_issued(const AmdLink& link) {
    X509* subject = link.subject.x509.get();
    X509* issuer = link.issuer.x509.get();
    int digest = NID_undef;
    if (X509_get_signature_nid(subject) != NID_rsassaPss ||
        X509_get_signature_info(subject, &digest, nullptr, nullptr, nullptr) != 1 ||
        digest != NID_sha384) {
        return chain_invalid(link.subject, "have another signature, need RSA-PSS with SHA-384");
    }
    EVP_PKEY* key = X509_get0_pubkey(issuer);
    if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA ||
        EVP_PKEY_get_bits(key) != rsa_bits) {
        return chain_invalid(link.issuer, "have another key, need RSA of 4096 bits");
    }
    // Looks at the basic constraints and at the key usage.
    if (X509_check_ca(issuer) != 1) {
        return chain_invalid(link.issuer, "may not issue certificates");
    }
    if (X509_verify(subject, key) != 1) {
        return chain_invalid(link.subject,
                             "signature does not verify under the key of " + link.issuer.name);
    }
    return {};
}

Result<void> verify_in_date(const AmdCertificate& certificate, UnixSeconds now) {
    if (certificate.validity.contains(now)) return {};
    return fail(ErrorCode::certificate_expired,
                certificate.name + ": " + describe_out_of_date(certificate.validity, now));
}

Result<const SnpPins*> find_pins(const AmdCertificate& root, const std::vector<SnpPins>& pins) {
    const auto at = std::find_if(pins.begin(), pins.end(), [&](const SnpPins& entry) {
        return entry.ark == root.fingerprint;
    });
    if (at != pins.end()) return &*at;
    return fail(
        ErrorCode::root_untrusted,
        root.name + ": have SHA-256 " + to_hex(root.fingerprint) + ", need one that is pinned");
}

Result<void> verify_pinned(const AmdCertificate& issuer, const Digest& pinned) {
    if (issuer.fingerprint == pinned) return {};
    return fail(
        ErrorCode::root_untrusted,
        issuer.name + ": have SHA-256 " + to_hex(issuer.fingerprint) + ", need " + to_hex(pinned));
}

Bytes oid_below_amd(std::initializer_list<uint8_t> arcs) {
    Bytes oid(amd_oid.size() + arcs.size());
    std::copy(arcs.begin(), arcs.end(), std::copy(amd_oid.begin(), amd_oid.end(), oid.begin()));
    return oid;
}

/// The value of an extension that must be there once, or may not be there at all.
Result<std::optional<ByteView>> find_value(const AmdCertificate& certificate, const Bytes& oid) {
    std::optional<ByteView> found;
    const X509* x509 = certificate.x509.get();
    for (int i = 0; i < X509_get_ext_count(x509); ++i) {
        X509_EXTENSION* extension = X509_get_ext(x509, i);
        const ASN1_OBJECT* object = X509_EXTENSION_get_object(extension);
        const ByteView object_oid(OBJ_get0_data(object), OBJ_length(object));
        if (!std::equal(oid.begin(), oid.end(), object_oid.begin(), object_oid.end())) continue;
        if (found) return malformed(certificate.name + ": extension twice: " + to_hex(oid));
        const ASN1_OCTET_STRING* data = X509_EXTENSION_get_data(extension);
        found.emplace(ASN1_STRING_get0_data(data), static_cast<size_t>(ASN1_STRING_length(data)));
    }
    return found;
}

Result<uint8_t> read_svn(const AmdCertificate& leaf, uint8_t arc) {
    TT_TRY(const auto value, find_value(leaf, oid_below_amd({arc_tcb, arc})));
    if (!value) {
        return malformed(leaf.name + ": have no security version " + std::to_string(arc) +
                         ", need one");
    }
    DerReader reader(*value);
    const auto svn = reader.read_integer(0xff);
    if (!svn || !reader.at_end()) {
        return malformed(leaf.name + ": security version " + std::to_string(arc) +
                         ": have another form, need an INTEGER below 256");
    }
    return static_cast<uint8_t>(*svn);
}

Result<SnpTcb> read_tcb(const AmdCertificate& leaf, SnpProduct product) {
    SnpTcb tcb;
    TT_TRY(tcb.bootloader, read_svn(leaf, 1));
    TT_TRY(tcb.tee, read_svn(leaf, 2));
    TT_TRY(tcb.snp, read_svn(leaf, 3));
    TT_TRY(tcb.microcode, read_svn(leaf, 8));
    if (product == SnpProduct::turin) {
        TT_TRY(tcb.fmc, read_svn(leaf, 9));
    }
    return tcb;
}

// The bare bytes, not DER within the extension's OCTET STRING.
Result<ByteArray<64>> read_chip_id(const AmdCertificate& leaf, SnpProduct product) {
    TT_TRY(const auto value, find_value(leaf, oid_below_amd({arc_chip_id})));
    const size_t need = product == SnpProduct::turin ? 8 : 64;
    if (!value || value->size() != need) {
        return malformed(leaf.name + ": chip id: have " +
                         (value ? std::to_string(value->size()) + " bytes" : "none") + ", need " +
                         std::to_string(need) + " bytes");
    }
    ByteArray<64> chip_id{};
    std::copy(value->begin(), value->end(), chip_id.begin());
    return chip_id;
}

Result<SnpKeyKind> kind_of(const AmdCertificate& leaf) {
    const std::string name = common_name(X509_get_subject_name(leaf.x509.get()));
    if (name == "SEV-VCEK") return SnpKeyKind::vcek;
    if (name == "SEV-VLEK") return SnpKeyKind::vlek;
    return fail(ErrorCode::certificate_chain_invalid,
                "leaf: have " + leaf.name + ", need 'SEV-VCEK' or 'SEV-VLEK'");
}

Result<crypto::P384Point> public_key(const AmdCertificate& leaf) {
    const auto point = crypto::p384_point_from_spki(spki_der_of(*leaf.x509));
    if (!point) return malformed(leaf.name + ": " + point.error().detail);
    return point;
}

Result<SnpSigner> read_signer(const AmdCertificate& leaf, SnpProduct product, SnpKeyKind kind) {
    SnpSigner signer{.product = product, .kind = kind, .key = {}, .tcb = {}, .chip_id = {}};
    TT_TRY(signer.key, public_key(leaf));
    TT_TRY(signer.tcb, read_tcb(leaf, product));
    if (kind == SnpKeyKind::vcek) {
        TT_TRY(signer.chip_id, read_chip_id(leaf, product));
        return signer;
    }
    TT_TRY(const auto cloud, find_value(leaf, oid_below_amd({arc_cloud_id})));
    if (!cloud) return malformed(leaf.name + ": have no cloud's name, need one");
    return signer;
}

Digest digest_of(std::string_view hex) {
    return array_from_hex<32>(hex).value();
}

}  // namespace

std::string_view to_string(SnpProduct product) {
    switch (product) {
        case SnpProduct::milan:
            return "Milan";
        case SnpProduct::genoa:
            return "Genoa";
        case SnpProduct::turin:
            return "Turin";
    }
    return "unknown";
}

std::string_view to_string(SnpKeyKind kind) {
    return kind == SnpKeyKind::vcek ? "VCEK" : "VLEK";
}

std::string describe_tcb(const SnpTcb& tcb, SnpProduct product) {
    const std::string fmc =
        product == SnpProduct::turin ? "fmc " + std::to_string(tcb.fmc) + ", " : "";
    return fmc + "bootloader " + std::to_string(tcb.bootloader) + ", tee " +
           std::to_string(tcb.tee) + ", snp " + std::to_string(tcb.snp) + ", microcode " +
           std::to_string(tcb.microcode);
}

const std::vector<SnpPins>& amd_pins() {
    static const std::vector<SnpPins> pins = {
        {.product = SnpProduct::milan,
         .ark = digest_of("69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd"),
         .ask = digest_of("67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b"),
         .asvk = digest_of("c5e081f59b7efab1fe2f8b505e159704e72f29cab7ef7cf628a05a42439082f5")},
        {.product = SnpProduct::genoa,
         .ark = digest_of("4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1"),
         .ask = digest_of("5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521"),
         .asvk = digest_of("197e610743a917d6b9bb982a5a9226ccc0a15b611be0619e626aca9151457372")},
        {.product = SnpProduct::turin,
         .ark = digest_of("1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a"),
         .ask = digest_of("5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185"),
         .asvk = digest_of("104e10a8bd060a3c20a434261a57d0588fd65a88915b4f65b08bdecaf8df1a3c")}};
    return pins;
}

Result<SnpSigner> verify_snp_chain(const SnpChain& chain, const std::vector<SnpPins>& pins,
                                   UnixSeconds now) {
    TT_TRY(const AmdCertificate leaf, parse_amd_certificate(chain.leaf));
    TT_TRY(const SnpKeyKind kind, kind_of(leaf));
    TT_TRY(const auto issuers, parse_issuers(chain.issuers));
    TT_TRY(const AmdCertificate* intermediate, find_issuer(leaf, issuers));
    TT_TRY(const AmdCertificate* root, find_issuer(*intermediate, issuers));
    TT_TRY(const SnpPins* pinned, find_pins(*root, pins));
    TT_CHECK(verify_pinned(*intermediate, kind == SnpKeyKind::vcek ? pinned->ask : pinned->asvk));
    TT_CHECK(verify_issued({.subject = *root, .issuer = *root}));
    TT_CHECK(verify_issued({.subject = *intermediate, .issuer = *root}));
    TT_CHECK(verify_issued({.subject = leaf, .issuer = *intermediate}));
    if (X509_check_ca(leaf.x509.get()) != 0) return chain_invalid(leaf, "is a CA, need none");
    for (const AmdCertificate* certificate : {root, intermediate, &leaf}) {
        TT_CHECK(verify_in_date(*certificate, now));
    }
    return read_signer(leaf, pinned->product, kind);
}

}  // namespace teetee::attest
