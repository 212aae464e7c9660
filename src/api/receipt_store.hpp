// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/request.hpp"
#include "net/http_server.hpp"

namespace teetee::api {

/// The receipts of an entry's last answers, in memory. Whoever knows an id may fetch: it is 128
/// random bits that only the client was told.
class ReceiptStore {
  public:
    struct Limits {
        size_t count_max = 4096;
        size_t bytes_max = 128u << 20;
        /// Clients that wait for one receipt.
        size_t waiting_max = 4;
    };
    ReceiptStore() = default;
    explicit ReceiptStore(Limits limits) : limits_(limits) {}

    static std::string path_of(const RequestId& request);

    /// The request was accepted: who fetches from now on waits. Then one of the two follows.
    void expect(const RequestId& request);
    void put(const RequestId& request, std::string receipt);
    void drop(const RequestId& request, const Error& error);

    /// Answers when the receipt is there. `id`: 32 hex digits, or the id of an answer, which ends
    /// in them ("chatcmpl-..").
    void fetch(std::string_view id, std::shared_ptr<net::HttpExchange> exchange);

    size_t count() const { return receipts_.size(); }

  private:
    struct Kept {
        std::optional<std::string> receipt;
        std::vector<std::shared_ptr<net::HttpExchange>> waiting;
    };

    void forget_oldest();

    Limits limits_;
    std::map<RequestId, Kept> receipts_;
    /// Of the finished ones, the oldest first.
    std::deque<RequestId> order_;
    size_t bytes_ = 0;
};

}  // namespace teetee::api
