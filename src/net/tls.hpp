// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <openssl/types.h>

#include "base/bytes.hpp"

namespace boost::asio::ssl {
class context;
}

namespace teetee::net {

/// What a TLS end shows and signs with.
struct TlsIdentity {
    Bytes certificate_der;
    /// PKCS #8 or SEC 1.
    std::string private_key_pem;
};

/// A server that is known by its name, as browsers know it.
struct WebServer {
    /// A DNS name or an IP address.
    std::string host;
    /// The roots that count, PEM; empty: the system's.
    std::string ca_file;
};

/// TLS 1.3 (RFC 8446) without session tickets, resumption or early data: each connection has a
/// handshake of its own, which its attestation can bind to. X.509 chains are not checked here:
/// whoever demands a peer's certificate verifies it after the handshake, before any application
/// byte; TLS itself proves only that the peer holds the certificate's key.
class TlsContext {
  public:
    /// Both ends: shows the identity and demands a certificate of the peer.
    static Result<TlsContext> build_mutual(const TlsIdentity& identity);
    /// A server whose clients need no certificate.
    static Result<TlsContext> build_server(const TlsIdentity& identity);
    /// A client without a certificate of its own.
    static Result<TlsContext> build_client();
    /// A client of a server that knows nothing of attestation, and the one exception to the above:
    /// the handshake fails unless the server's certificate is for this host, in date, and leads to
    /// a root that counts. TLS 1.2 will do, with forward secrecy and authenticated encryption.
    static Result<TlsContext> build_web_client(const WebServer& server);
    // Errors: certificate_malformed, key_invalid (unreadable, or not the certificate's),
    // tls_failed.

    /// Another identity, on every copy of this context, for handshakes that begin from now on.
    /// Sessions that are up, and their exporters, stay as they are.
    /// Errors: certificate_malformed, key_invalid; then the old identity stays.
    Result<void> show(const TlsIdentity& identity) const;
    /// What handshakes that begin now show; empty for a client without a certificate.
    Bytes certificate_der() const;

    boost::asio::ssl::context& context() const { return *context_; }
    /// What a client names in its first message (RFC 6066 section 3); empty: nothing.
    const std::string& server_name() const { return server_name_; }

  private:
    explicit TlsContext(std::shared_ptr<boost::asio::ssl::context> context)
        : context_(std::move(context)) {}
    std::shared_ptr<boost::asio::ssl::context> context_;
    std::string server_name_;
};

/// The DER of a certificate of OpenSSL's, which MUST be well-formed; empty for null.
Bytes certificate_der(X509* certificate);

/// 32 bytes that only the two ends of one TLS session know (RFC 8446 section 7.5), label
/// "EXPORTER-teetee-channel-v1", no context.
using ChannelExporter = ByteArray<32>;

}  // namespace teetee::net
