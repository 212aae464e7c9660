// SPDX-License-Identifier: Apache-2.0
#include "net/stream.hpp"

#include <optional>

#include "net/test_support.hpp"

namespace teetee::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Address any_port = {"127.0.0.1", 0};

/// Two connected ends on one loop.
struct Pair {
    explicit Pair(Loop& owner) : loop(owner) {
        auto listening = Acceptor::listen(
            loop, any_port, [this](std::unique_ptr<Stream> stream) { server = std::move(stream); });
        EXPECT_TRUE(listening);
        acceptor = std::move(*listening);
        connect(loop, {"127.0.0.1", acceptor->port()}, seconds(5),
                [this](Result<std::unique_ptr<Stream>> stream) {
                    ASSERT_TRUE(stream);
                    client = std::move(*stream);
                });
        run_until(loop, [this] { return client != nullptr && server != nullptr; });
    }

    void secure(const TlsContext& client_tls, const TlsContext& server_tls) {
        client->handshake(client_tls, TlsSide::client,
                          [this](Result<void> done) { client_secured = std::move(done); });
        server->handshake(server_tls, TlsSide::server,
                          [this](Result<void> done) { server_secured = std::move(done); });
        run_until(loop, [this] { return client_secured && server_secured; });
    }

    Loop& loop;
    std::unique_ptr<Acceptor> acceptor;
    std::unique_ptr<Stream> client;
    std::unique_ptr<Stream> server;
    std::optional<Result<void>> client_secured;
    std::optional<Result<void>> server_secured;
};

std::optional<Result<size_t>> read_once(Loop& loop, Stream& stream, std::span<uint8_t> into) {
    std::optional<Result<size_t>> result;
    stream.read_some(into, [&](Result<size_t> bytes) { result = std::move(bytes); });
    run_until(loop, [&] { return result.has_value(); });
    return result;
}

TEST(stream, sources_are_addresses_of_version_4_and_networks_of_version_6) {
    Loop loop;
    Pair pair(loop);
    EXPECT_EQ(pair.server->source(), "127.0.0.1");
    EXPECT_NE(pair.server->remote(), pair.server->source()) << "the port differs each time";
    std::unique_ptr<Stream> server;
    std::unique_ptr<Stream> client;
    const auto listening = Acceptor::listen(
        loop, {"::1", 0}, [&](std::unique_ptr<Stream> stream) { server = std::move(stream); });
    if (!listening) GTEST_SKIP() << "no IPv6 here: " << listening.error().message();
    connect(loop, {"::1", (*listening)->port()}, seconds(5),
            [&](Result<std::unique_ptr<Stream>> stream) { client = std::move(*stream); });
    run_until(loop, [&] { return client != nullptr && server != nullptr; });
    EXPECT_EQ(server->source(), "::/64");
}

TEST(tls, mutual_shows_both_certificates_and_exports_one_secret) {
    Loop loop;
    const TlsIdentity dialer = make_identity("dialer");
    const TlsIdentity listener = make_identity("listener");
    const auto dialer_tls = *TlsContext::build_mutual(dialer);
    const auto listener_tls = *TlsContext::build_mutual(listener);
    std::optional<ChannelExporter> first;
    for (int i = 0; i < 2; ++i) {
        Pair pair(loop);
        pair.secure(dialer_tls, listener_tls);
        ASSERT_TRUE(*pair.client_secured);
        ASSERT_TRUE(*pair.server_secured);
        EXPECT_EQ(*pair.client->peer_certificate_der(), listener.certificate_der);
        EXPECT_EQ(*pair.server->peer_certificate_der(), dialer.certificate_der);
        EXPECT_EQ(*pair.client->channel_exporter(), *pair.server->channel_exporter());
        EXPECT_NE(first, *pair.client->channel_exporter());
        first = *pair.client->channel_exporter();
    }
}

TEST(tls, mutual_server_refuses_a_client_without_certificate) {
    Loop loop;
    Pair pair(loop);
    pair.secure(*TlsContext::build_client(), *TlsContext::build_mutual(make_identity("listener")));
    EXPECT_EQ(pair.server_secured->error().code, ErrorCode::tls_failed);
    ByteArray<8> buffer{};
    EXPECT_EQ(read_once(loop, *pair.client, buffer)->error().code, ErrorCode::tls_failed);
}

TEST(tls, carries_bytes_and_a_goodbye) {
    Loop loop;
    Pair pair(loop);
    pair.secure(*TlsContext::build_client(), *TlsContext::build_server(make_identity("server")));
    ASSERT_TRUE(*pair.server_secured);
    EXPECT_EQ(pair.server->peer_certificate_der().error().code, ErrorCode::evidence_missing);
    const Bytes sent(300'000, 7);
    bool written = false;
    pair.client->write(as_bytes("head"), sent, [&](Result<void> done) {
        ASSERT_TRUE(done);
        written = true;
        pair.client->close();
    });
    std::vector<uint8_t> buffer(100'000);
    Bytes received;
    while (true) {
        const auto bytes = read_once(loop, *pair.server, buffer);
        if (!*bytes) {
            EXPECT_EQ(bytes->error().code, ErrorCode::connection_closed);
            break;
        }
        received.insert(received.end(), buffer.begin(),
                        buffer.begin() + static_cast<ptrdiff_t>(**bytes));
    }
    EXPECT_TRUE(written);
    ASSERT_EQ(received.size(), sent.size() + 4);
    EXPECT_EQ(as_text(ByteView(received).first(5)), "head\x07");
}

TEST(tls, identity_must_be_readable_and_fit_together) {
    const TlsIdentity one = make_identity("one");
    const TlsIdentity two = make_identity("two");
    EXPECT_EQ(TlsContext::build_server({one.certificate_der, two.private_key_pem}).error().code,
              ErrorCode::key_invalid);
    EXPECT_EQ(TlsContext::build_mutual({one.certificate_der, "no key"}).error().code,
              ErrorCode::key_invalid);
    EXPECT_EQ(TlsContext::build_mutual({Bytes{1, 2, 3}, one.private_key_pem}).error().code,
              ErrorCode::certificate_malformed);
    Bytes longer = one.certificate_der;
    longer.push_back(0);
    EXPECT_EQ(TlsContext::build_mutual({longer, one.private_key_pem}).error().code,
              ErrorCode::certificate_malformed);
}

TEST(tls, an_identity_that_does_not_fit_together_leaves_the_old_one) {
    Loop loop;
    const TlsIdentity old = make_identity("old");
    const TlsIdentity other = make_identity("other");
    const auto server_tls = *TlsContext::build_server(old);
    const auto client_tls = *TlsContext::build_client();
    EXPECT_EQ(server_tls.show({other.certificate_der, old.private_key_pem}).error().code,
              ErrorCode::key_invalid);
    {
        Pair pair(loop);
        pair.secure(client_tls, server_tls);
        ASSERT_TRUE(*pair.client_secured);
        EXPECT_EQ(*pair.client->peer_certificate_der(), old.certificate_der);
    }
    EXPECT_TRUE(server_tls.show(other));
    Pair pair(loop);
    pair.secure(client_tls, server_tls);
    ASSERT_TRUE(*pair.client_secured);
    EXPECT_EQ(*pair.client->peer_certificate_der(), other.certificate_der);
}

TEST(stream, close_ends_pending_calls_as_cancelled) {
    Loop loop;
    Pair pair(loop);
    std::optional<Result<size_t>> result;
    ByteArray<8> buffer{};
    pair.client->read_some(buffer, [&](Result<size_t> bytes) { result = std::move(bytes); });
    pair.client->close();
    EXPECT_FALSE(result.has_value());
    run_until(loop, [&] { return result.has_value(); });
    EXPECT_EQ(result->error().code, ErrorCode::cancelled);
    EXPECT_EQ(read_once(loop, *pair.server, buffer)->error().code, ErrorCode::connection_closed);
}

TEST(stream, a_port_in_use_and_a_wrong_host_are_named) {
    Loop loop;
    const auto first = Acceptor::listen(loop, any_port, [](auto) {});
    const Address taken = {"127.0.0.1", (*first)->port()};
    const auto second = Acceptor::listen(loop, taken, [](auto) {});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::port_in_use);
    EXPECT_NE(second.error().detail.find(to_string(taken)), std::string::npos);
    EXPECT_EQ(Acceptor::listen(loop, {"example.org", 1}, [](auto) {}).error().code,
              ErrorCode::address_invalid);
    EXPECT_EQ(Acceptor::listen(loop, {"192.0.2.1", 0}, [](auto) {}).error().code,
              ErrorCode::io_failed);
}

TEST(stream, connecting_fails_with_the_address) {
    Loop loop;
    uint16_t closed_port = 0;
    {
        const auto listening = Acceptor::listen(loop, any_port, [](auto) {});
        closed_port = (*listening)->port();
    }
    std::optional<Error> error;
    connect(loop, {"127.0.0.1", closed_port}, seconds(5),
            [&](Result<std::unique_ptr<Stream>> stream) { error = stream.error(); });
    run_until(loop, [&] { return error.has_value(); });
    EXPECT_EQ(error->code, ErrorCode::connect_failed);
    EXPECT_NE(error->detail.find("127.0.0.1:" + std::to_string(closed_port)), std::string::npos);
}

TEST(stream, resolves_names) {
    Loop loop;
    bool up = false;
    const auto listening = Acceptor::listen(loop, {"localhost", 0}, [](auto) {});
    connect(loop, {"localhost", (*listening)->port()}, seconds(5),
            [&](Result<std::unique_ptr<Stream>> stream) { up = stream.has_value(); });
    run_until(loop, [&] { return up; });
}

}  // namespace
}  // namespace teetee::net
