// SPDX-License-Identifier: Apache-2.0
#include "net/tls.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "net/limits.hpp"

namespace teetee::net {
namespace {

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;

/// A key with a passphrase must fail, not ask on the terminal.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

int accept_any_certificate(X509_STORE_CTX*, void*) {
    return 1;
}

Result<std::shared_ptr<boost::asio::ssl::context>> build_context(int version_min = TLS1_3_VERSION) {
    // Asio reports with exceptions what only a broken OpenSSL installation makes fail.
    std::shared_ptr<boost::asio::ssl::context> context;
    try {
        context = std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tlsv13);
    } catch (const boost::system::system_error& error) {
        return fail(ErrorCode::tls_failed, std::string("TLS context: ") + error.what());
    }
    SSL_CTX* const raw = context->native_handle();
    SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(raw, certificate_bytes_max);
    if (SSL_CTX_set_min_proto_version(raw, version_min) != 1 ||
        SSL_CTX_set_max_proto_version(raw, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_num_tickets(raw, 0) != 1) {
        return fail(ErrorCode::tls_failed, "OpenSSL refuses TLS 1.3 without tickets");
    }
    return context;
}

Result<void> use_roots(SSL_CTX* context, const std::string& ca_file) {
    if (ca_file.empty()) {
        if (SSL_CTX_set_default_verify_paths(context) == 1) return {};
        return fail(ErrorCode::tls_failed, "the system has no place for trusted roots");
    }
    if (SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1) return {};
    ERR_clear_error();
    return fail(ErrorCode::tls_failed, ca_file + ": not readable as PEM certificates");
}

/// The peer's certificate must be for this host: a name in it, never its subject.
Result<void> demand_host(SSL_CTX* context, const std::string& host, bool is_ip_address) {
    X509_VERIFY_PARAM* const param = SSL_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_hostflags(
        param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    const int set = is_ip_address ? X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str())
                                  : X509_VERIFY_PARAM_set1_host(param, host.c_str(), host.size());
    // An empty name would count as any.
    if (set == 1 && !host.empty()) return {};
    return fail(ErrorCode::tls_failed, "no host name to check: " + quote_foreign(host));
}

bool is_ip_address(const std::string& host) {
    boost::system::error_code failed;
    boost::asio::ip::make_address(host, failed);
    return !failed;
}

Result<void> use_identity(SSL_CTX* context, const TlsIdentity& identity) {
    const uint8_t* position = identity.certificate_der.data();
    const auto bytes = static_cast<long>(identity.certificate_der.size());
    const X509Ptr certificate(d2i_X509(nullptr, &position, bytes), &X509_free);
    if (certificate == nullptr || position != identity.certificate_der.data() + bytes) {
        return fail(ErrorCode::certificate_malformed, "own certificate: not usable as DER X.509");
    }
    const BioPtr pem(BIO_new_mem_buf(identity.private_key_pem.data(),
                                     static_cast<int>(identity.private_key_pem.size())),
                     &BIO_free);
    const KeyPtr key(PEM_read_bio_PrivateKey(pem.get(), nullptr, &no_passphrase, nullptr),
                     &EVP_PKEY_free);
    if (key == nullptr) return fail(ErrorCode::key_invalid, "own private key: not readable as PEM");
    constexpr int in_place_of_another = 1;
    if (SSL_CTX_use_cert_and_key(context, certificate.get(), key.get(), nullptr,
                                 in_place_of_another) != 1) {
        return fail(ErrorCode::key_invalid, "own private key: not that of the certificate");
    }
    return {};
}

}  // namespace

Result<TlsContext> TlsContext::build_mutual(const TlsIdentity& identity) {
    TT_TRY(auto context, build_context());
    TT_CHECK(use_identity(context->native_handle(), identity));
    SSL_CTX_set_verify(context->native_handle(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       nullptr);
    SSL_CTX_set_cert_verify_callback(context->native_handle(), &accept_any_certificate, nullptr);
    return TlsContext(std::move(context));
}

Result<TlsContext> TlsContext::build_server(const TlsIdentity& identity) {
    TT_TRY(auto context, build_context());
    TT_CHECK(use_identity(context->native_handle(), identity));
    SSL_CTX_set_verify(context->native_handle(), SSL_VERIFY_NONE, nullptr);
    return TlsContext(std::move(context));
}

Result<TlsContext> TlsContext::build_web_client(const WebServer& server) {
    TT_TRY(auto context, build_context(TLS1_2_VERSION));
    SSL_CTX* const raw = context->native_handle();
    // Of TLS 1.2 only; those of 1.3 are all as good.
    if (SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1) {
        return fail(ErrorCode::tls_failed, "OpenSSL has none of the ciphers for TLS 1.2");
    }
    TT_CHECK(use_roots(raw, server.ca_file));
    const bool by_address = is_ip_address(server.host);
    TT_CHECK(demand_host(raw, server.host, by_address));
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
    TlsContext client(std::move(context));
    if (!by_address) client.server_name_ = server.host;
    return client;
}

Result<TlsContext> TlsContext::build_client() {
    TT_TRY(auto context, build_context());
    // The certificate is still there to be examined; without one TLS 1.3 has no server.
    SSL_CTX_set_verify(context->native_handle(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context->native_handle(), &accept_any_certificate, nullptr);
    return TlsContext(std::move(context));
}

Result<void> TlsContext::show(const TlsIdentity& identity) const {
    return use_identity(context_->native_handle(), identity);
}

Bytes TlsContext::certificate_der() const {
    return net::certificate_der(SSL_CTX_get0_certificate(context_->native_handle()));
}

Bytes certificate_der(X509* certificate) {
    const int bytes = certificate == nullptr ? 0 : i2d_X509(certificate, nullptr);
    if (bytes <= 0) return {};
    Bytes der(static_cast<size_t>(bytes));
    uint8_t* position = der.data();
    i2d_X509(certificate, &position);
    return der;
}

}  // namespace teetee::net
