// SPDX-License-Identifier: Apache-2.0
// What TLS costs a token: a row of activations goes to the next node, a token comes back, once over
// plain streams and once over TLS.
#include <array>

#include <benchmark/benchmark.h>

#include "attest/dev_node.hpp"
#include "net/stream.hpp"

namespace teetee::net {
namespace {

constexpr size_t token_bytes = 64;

TlsContext make_tls() {
    const attest::test::DevNode node = attest::test::make_node();
    TlsIdentity identity;
    identity.certificate_der = node.certificate();
    const auto pem = node.tls_key.to_pem().value();
    identity.private_key_pem.assign(pem.begin(), pem.end());
    return TlsContext::build_mutual(identity).value();
}

/// Two ends on one loop, on one thread: the processor time of both counts.
class Pair {
  public:
    explicit Pair(bool secured) {
        const Address any_port = {"127.0.0.1", 0};
        acceptor_ = Acceptor::listen(loop_, any_port, [this](std::unique_ptr<Stream> stream) {
                        server_ = std::move(stream);
                        if (client_ != nullptr) loop_.stop();
                    }).value();
        connect(loop_, {"127.0.0.1", acceptor_->port()}, std::chrono::seconds(5),
                [this](auto stream) {
                    client_ = std::move(stream).value();
                    if (server_ != nullptr) loop_.stop();
                });
        loop_.run();
        if (secured) secure();
    }

    /// A row there and a token back.
    void exchange(size_t row_bytes) {
        row_.resize(row_bytes);
        received_ = 0;
        client_->write({}, row_, [](const Result<void>&) {});
        read_row();
        client_->read_some(answer_, [this](const Result<size_t>&) { loop_.stop(); });
        loop_.run();
    }

  private:
    void secure() {
        const TlsContext tls = make_tls();
        int done_count = 0;
        const auto done = [&](const Result<void>&) {
            if (++done_count == 2) loop_.stop();
        };
        client_->handshake(tls, TlsSide::client, done);
        server_->handshake(tls, TlsSide::server, done);
        loop_.run();
    }

    void read_row() {
        server_->read_some(buffer_, [this](const Result<size_t>& bytes) {
            received_ += bytes.value();
            if (received_ < row_.size()) return read_row();
            server_->write({}, token_, [](const Result<void>&) {});
        });
    }

    Loop loop_;
    std::unique_ptr<Acceptor> acceptor_;
    std::unique_ptr<Stream> client_;
    std::unique_ptr<Stream> server_;
    Bytes row_;
    size_t received_ = 0;
    std::array<uint8_t, token_bytes> token_{};
    std::array<uint8_t, token_bytes> answer_{};
    std::array<uint8_t, 64u << 10> buffer_{};
};

void exchange(benchmark::State& state, bool secured) {
    Pair pair(secured);
    for (auto _ : state) pair.exchange(static_cast<size_t>(state.range(0)));
}

void plain(benchmark::State& state) {
    exchange(state, false);
}

void tls(benchmark::State& state) {
    exchange(state, true);
}

BENCHMARK(plain)->Arg(8192)->Arg(16384)->Unit(benchmark::kMicrosecond);
BENCHMARK(tls)->Arg(8192)->Arg(16384)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace teetee::net
