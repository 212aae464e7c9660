// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "net/loop.hpp"
#include "net/tls.hpp"

// What the tests of this module share; no product code includes it.
namespace teetee::net {

/// A fresh P-256 key and a certificate for it, signed by itself.
inline TlsIdentity make_identity(const char* name) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());

    TlsIdentity identity;
    identity.certificate_der.resize(static_cast<size_t>(i2d_X509(certificate, nullptr)));
    uint8_t* position = identity.certificate_der.data();
    i2d_X509(certificate, &position);
    BIO* pem = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(pem, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long text_bytes = BIO_get_mem_data(pem, &text);
    identity.private_key_pem.assign(text, static_cast<size_t>(text_bytes));
    BIO_free(pem);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return identity;
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif

/// Far above what anything here takes; a sanitizer makes it ten times slower.
inline constexpr Duration patience = std::chrono::seconds(is_sanitized ? 120 : 10);

/// Runs the loop until the condition holds; fails the test if that does not come to pass.
template <class Condition>
void run_until(Loop& loop, Condition condition) {
    bool late = false;
    const Timer deadline = loop.call_after(patience, [&] {
        late = true;
        loop.stop();
    });
    Timer poll;
    std::function<void()> check = [&] {
        if (condition()) return loop.stop();
        poll = loop.call_after(std::chrono::milliseconds(1), check);
    };
    check();
    if (!condition()) loop.run();
    EXPECT_FALSE(late) << "the condition did not come to hold";
}

/// For the things that must not happen.
inline void run_for(Loop& loop, Duration time) {
    const Timer end = loop.call_after(time, [&] { loop.stop(); });
    loop.run();
}

/// A loop on a thread of its own, for tests whose other side blocks.
class LoopThread {
  public:
    LoopThread() : thread_([this] { loop_.run(); }) {}
    ~LoopThread() {
        call([this] { loop_.stop(); });
        thread_.join();
    }
    LoopThread(const LoopThread&) = delete;
    LoopThread& operator=(const LoopThread&) = delete;

    Loop& loop() { return loop_; }

    /// Runs it on the loop's thread and waits.
    void call(const std::function<void()>& what) {
        std::promise<void> done;
        loop_.post([&] {
            what();
            done.set_value();
        });
        done.get_future().wait();
    }

  private:
    Loop loop_;
    std::thread thread_;
};

/// A connection from another address of this machine than the tests' own.
class ForeignConnection {
  public:
    ForeignConnection(uint32_t source, uint16_t port) {
        const auto address = [](uint32_t host, uint16_t number) {
            sockaddr_in out{};
            out.sin_family = AF_INET;
            out.sin_addr.s_addr = htonl(host);
            out.sin_port = htons(number);
            return out;
        };
        const sockaddr_in from = address(source, 0);
        const sockaddr_in to = address(INADDR_LOOPBACK, port);
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&from), sizeof from), 0);
        EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    }
    ForeignConnection(ForeignConnection&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)) {}
    ForeignConnection(const ForeignConnection&) = delete;
    ForeignConnection& operator=(const ForeignConnection&) = delete;
    ~ForeignConnection() { ::close(socket_); }

  private:
    int socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
};

}  // namespace teetee::net
