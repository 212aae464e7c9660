// SPDX-License-Identifier: Apache-2.0
#include "net/tls.hpp"

#include <boost/asio/ssl/context.hpp>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

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

Result<std::shared_ptr<boost::asio::ssl::context>> build_context() {
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
    if (SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(raw, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_num_tickets(raw, 0) != 1) {
        return fail(ErrorCode::tls_failed, "OpenSSL refuses TLS 1.3 without tickets");
    }
    return context;
}

Result<void> use_identity(SSL_CTX* context, const TlsIdentity& identity) {
    const uint8_t* position = identity.certificate_der.data();
    const auto bytes = static_cast<long>(identity.certificate_der.size());
    const X509Ptr certificate(d2i_X509(nullptr, &position, bytes), &X509_free);
    if (certificate == nullptr || position != identity.certificate_der.data() + bytes ||
        SSL_CTX_use_certificate(context, certificate.get()) != 1) {
        return fail(ErrorCode::certificate_malformed, "own certificate: not usable as DER X.509");
    }
    const BioPtr pem(BIO_new_mem_buf(identity.private_key_pem.data(),
                                     static_cast<int>(identity.private_key_pem.size())),
                     &BIO_free);
    const KeyPtr key(PEM_read_bio_PrivateKey(pem.get(), nullptr, &no_passphrase, nullptr),
                     &EVP_PKEY_free);
    if (key == nullptr) return fail(ErrorCode::key_invalid, "own private key: not readable as PEM");
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
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

Result<TlsContext> TlsContext::build_client() {
    TT_TRY(auto context, build_context());
    // The certificate is still there to be examined; without one TLS 1.3 has no server.
    SSL_CTX_set_verify(context->native_handle(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context->native_handle(), &accept_any_certificate, nullptr);
    return TlsContext(std::move(context));
}

}  // namespace teetee::net
