// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "net/tls.hpp"

// For tests of this module: a certificate authority such as the web has; no product code includes
// it.
namespace teetee::net {

class WebCa {
  public:
    WebCa() : key_(EVP_EC_gen("P-256"), &EVP_PKEY_free), root_(nullptr, &X509_free) {
        root_ = build({.subject = "test root", .extensions = "CA:TRUE"}, NID_basic_constraints,
                      key_.get());
    }

    std::string pem() const {
        const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
        PEM_write_bio_X509(bio.get(), root_.get());
        return text_of(bio.get());
    }

    struct Server {
        /// As OpenSSL writes subject alternative names: "DNS:localhost", "IP:127.0.0.1".
        std::string names;
        long seconds_left = 3600;
    };
    TlsIdentity issue(const Server& server) const {
        const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
        const Certificate certificate = build({.subject = "localhost",
                                               .extensions = server.names,
                                               .seconds_left = server.seconds_left},
                                              NID_subject_alt_name, key.get());
        TlsIdentity identity;
        identity.certificate_der.resize(static_cast<size_t>(i2d_X509(certificate.get(), nullptr)));
        uint8_t* position = identity.certificate_der.data();
        i2d_X509(certificate.get(), &position);
        const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
        PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        identity.private_key_pem = text_of(bio.get());
        return identity;
    }

  private:
    using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
    using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
    using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

    struct Fields {
        const char* subject;
        std::string extensions;
        long seconds_left = 3600;
    };

    static std::string text_of(BIO* bio) {
        char* text = nullptr;
        const long bytes = BIO_get_mem_data(bio, &text);
        return std::string(text, static_cast<size_t>(bytes));
    }

    /// Under the root, which stands under itself.
    Certificate build(const Fields& fields, int extension, EVP_PKEY* key) const {
        Certificate out(X509_new(), &X509_free);
        X509_set_version(out.get(), X509_VERSION_3);
        static long serial = 0;
        ASN1_INTEGER_set(X509_get_serialNumber(out.get()), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(out.get()), -7200);
        X509_gmtime_adj(X509_getm_notAfter(out.get()), fields.seconds_left);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(out.get()), "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(fields.subject), -1, -1,
                                   0);
        const X509* issuer = root_ ? root_.get() : out.get();
        X509_set_issuer_name(out.get(), X509_get_subject_name(issuer));
        X509_set_pubkey(out.get(), key);
        X509_EXTENSION* const added =
            X509V3_EXT_conf_nid(nullptr, nullptr, extension, fields.extensions.c_str());
        EXPECT_NE(added, nullptr) << fields.extensions;
        X509_add_ext(out.get(), added, -1);
        X509_EXTENSION_free(added);
        X509_sign(out.get(), key_.get(), EVP_sha256());
        return out;
    }

    Key key_;
    Certificate root_;
};

}  // namespace teetee::net
