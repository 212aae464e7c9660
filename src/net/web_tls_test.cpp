// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <unistd.h>

#include "net/file.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "net/test_support.hpp"
#include "net/web_pki_fakes.hpp"

namespace teetee::net {
namespace {

/// A TLS server that counts what is asked, and a client that knows it by name.
class web_tls : public testing::Test {
  protected:
    web_tls() {
        std::string pattern = testing::TempDir() + "teetee-web-" + std::string(6, 'X');
        folder = ::mkdtemp(pattern.data());
        EXPECT_TRUE(write_file_atomic(ca_file(), as_bytes(ca.pem())));
    }
    ~web_tls() override {
        thread.call([this] { server.reset(); });
        std::filesystem::remove_all(folder);
    }

    std::string ca_file() const { return folder + "/ca.pem"; }

    void serve(const TlsIdentity& identity) {
        HttpServerOptions options;
        options.tls = TlsContext::build_server(identity).value();
        serve(options);
    }
    void serve(const HttpServerOptions& options) {
        thread.call([&] {
            server = HttpServer::listen(
                         thread.loop(), {"127.0.0.1", 0}, options,
                         [this](const HttpRequest&, const std::shared_ptr<HttpExchange>& exchange) {
                             ++asked;
                             exchange->respond({});
                         })
                         .value();
        });
    }

    Result<HttpClientResponse> get(const std::string& host, const std::string& roots) {
        HttpClientRequest request;
        request.url = "https://" + host + ":" + std::to_string(server->port());
        request.web_pki = WebPki{roots};
        return http_fetch(request);
    }
    void expect_refused(const std::string& host, const std::string& roots,
                        const std::string& reason) {
        const auto response = get(host, roots);
        ASSERT_FALSE(response) << reason;
        EXPECT_EQ(response.error().code, ErrorCode::tls_failed) << response.error().message();
        EXPECT_NE(response.error().detail.find(reason), std::string::npos)
            << response.error().message();
        EXPECT_EQ(asked, 0) << "nothing may be sent to a server that is not known";
    }

    WebCa ca;
    std::string folder;
    std::unique_ptr<HttpServer> server;
    std::atomic<int> asked = 0;
    /// Last, so that it stops before what its calls use is gone.
    LoopThread thread;
};

TEST_F(web_tls, a_server_is_known_by_its_name_or_its_address) {
    serve(ca.issue({.names = "DNS:localhost,IP:127.0.0.1"}));
    for (const char* host : {"localhost", "127.0.0.1"}) {
        const auto response = get(host, ca_file());
        ASSERT_TRUE(response) << response.error().message();
        EXPECT_EQ(response->status, 200);
    }
    EXPECT_EQ(asked, 2);
}

TEST_F(web_tls, refuses_a_certificate_for_another_host) {
    serve(ca.issue({.names = "DNS:example.org,DNS:local*,IP:127.0.0.2"}));
    expect_refused("localhost", ca_file(), "hostname mismatch");
    expect_refused("127.0.0.1", ca_file(), "IP address mismatch");
}

// Its subject says localhost; only names in the extension count.
TEST_F(web_tls, refuses_a_host_that_only_the_subject_names) {
    serve(ca.issue({.names = "email:host@localhost"}));
    expect_refused("localhost", ca_file(), "hostname mismatch");
}

TEST_F(web_tls, refuses_an_unknown_authority) {
    serve(ca.issue({.names = "DNS:localhost"}));
    const std::string others = folder + "/others.pem";
    ASSERT_TRUE(write_file_atomic(others, as_bytes(WebCa().pem())));
    expect_refused("localhost", others, "certificate signature failure");
    expect_refused("localhost", "", "unable to get local issuer certificate");
}

TEST_F(web_tls, refuses_a_self_signed_certificate) {
    serve(make_identity("localhost"));
    expect_refused("localhost", ca_file(), "self-signed certificate");
}

TEST_F(web_tls, refuses_an_expired_certificate) {
    serve(ca.issue({.names = "DNS:localhost", .seconds_left = -3600}));
    expect_refused("localhost", ca_file(), "certificate has expired");
}

TEST_F(web_tls, refuses_roots_that_cannot_be_read) {
    serve(ca.issue({.names = "DNS:localhost"}));
    expect_refused("localhost", folder + "/none.pem", "none.pem");
    const std::string garbage = folder + "/garbage.pem";
    ASSERT_TRUE(write_file_atomic(garbage, as_bytes("no certificates")));
    expect_refused("localhost", garbage, "garbage.pem");
}

TEST_F(web_tls, both_ways_of_knowing_a_server_must_agree) {
    serve(ca.issue({.names = "DNS:localhost"}));
    HttpClientRequest request;
    request.url = "https://localhost:" + std::to_string(server->port());
    request.web_pki = WebPki{ca_file()};
    request.verify_certificate = [](ByteView) -> Result<void> {
        return fail(ErrorCode::evidence_missing, "not this one");
    };
    EXPECT_EQ(http_fetch(request).error().code, ErrorCode::evidence_missing);
    EXPECT_EQ(asked, 0);
}

TEST_F(web_tls, is_never_talked_down_to_plain_http) {
    serve(HttpServerOptions{});
    HttpClientRequest request;
    request.url = "http://localhost:" + std::to_string(server->port());
    request.web_pki = WebPki{ca_file()};
    EXPECT_EQ(http_fetch(request).error().code, ErrorCode::channel_unbound);
    EXPECT_EQ(asked, 0);
}

}  // namespace
}  // namespace teetee::net
