// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_server.hpp"
#include "sealed/answer.hpp"

namespace teetee::api {

/// Answers a sealed request: status, headers and body go into sealed records, and outside is the
/// same for every answer. A stream that is dropped before finish ends without its final record.
class SealedExchange final : public net::HttpExchange {
  public:
    /// `outer` is the exchange of the connection.
    SealedExchange(std::shared_ptr<net::HttpExchange> outer, sealed::AnswerSealer sealer)
        : outer_(std::move(outer)), sealer_(std::move(sealer)) {}

    void respond(net::HttpResponse response) override;
    void begin_stream(int status, std::string_view content_type,
                      const net::HttpHeaders& headers) override;
    /// A record of its own for each chunk, so that a client sees it at once.
    void write(std::string_view chunk) override;
    void finish() override;
    void on_disconnect(std::function<void()> callback) override;
    size_t pending_bytes() const override;

  private:
    /// What cannot be sealed is not sent: the answer ends there.
    bool send(const Result<Bytes>& records);

    /// Null when the answer is complete or could not be sealed.
    std::shared_ptr<net::HttpExchange> outer_;
    sealed::AnswerSealer sealer_;
};

}  // namespace teetee::api
