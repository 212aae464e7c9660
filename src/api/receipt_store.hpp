// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/request.hpp"
#include "net/http_server.hpp"

namespace teetee::api {

/// The receipts of an entry's last answers, in memory; those that were charged are kept elsewhere
/// too. Whoever knows an id may fetch: it is 128 random bits that only the client was told.
class ReceiptStore {
  public:
    struct Limits {
        size_t count_max = 4096;
        size_t bytes_max = 128u << 20;
        /// Clients that wait for one receipt.
        size_t waiting_max = 4;
    };
    /// What is no longer in memory, or was before this process; empty where there is none.
    using Kept = std::function<Result<Bytes>(const RequestId&)>;
    ReceiptStore() = default;
    explicit ReceiptStore(Limits limits, Kept kept = {})
        : limits_(limits), kept_(std::move(kept)) {}

    static std::string path_of(const RequestId& request);

    /// The request was accepted: who fetches from now on waits. Then one of the two follows.
    void expect(const RequestId& request);
    void put(const RequestId& request, std::string receipt);
    void drop(const RequestId& request, const Error& error);

    /// Answers when the receipt is there. `id`: 32 hex digits, or the id of an answer, which ends
    /// in them ("chatcmpl-..").
    void fetch(std::string_view id, std::shared_ptr<net::HttpExchange> exchange);

    size_t count() const { return receipts_.size(); }

    /// 32 hex digits, or the id of an answer. Error: receipt_unknown.
    static Result<RequestId> parse_id(std::string_view id);

  private:
    struct Entry {
        std::optional<std::string> receipt;
        std::vector<std::shared_ptr<net::HttpExchange>> waiting;
    };

    void forget_oldest();

    Limits limits_;
    Kept kept_;
    std::map<RequestId, Entry> receipts_;
    /// Of the finished ones, the oldest first.
    std::deque<RequestId> order_;
    size_t bytes_ = 0;
};

}  // namespace teetee::api
