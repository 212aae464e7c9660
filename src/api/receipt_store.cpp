// SPDX-License-Identifier: Apache-2.0
#include "api/receipt_store.hpp"

#include "api/errors.hpp"
#include "base/bytes.hpp"

namespace teetee::api {
namespace {

void respond(net::HttpExchange& exchange, const std::string& receipt) {
    net::HttpResponse response;
    response.headers["cache-control"] = "private, no-store";
    response.body = receipt + "\n";
    exchange.respond(std::move(response));
}

}  // namespace

std::string ReceiptStore::path_of(const RequestId& request) {
    return "/v1/receipts/" + to_hex(request.bytes);
}

void ReceiptStore::expect(const RequestId& request) {
    receipts_[request];
}

void ReceiptStore::put(const RequestId& request, std::string receipt) {
    const auto found = receipts_.find(request);
    if (found == receipts_.end() || found->second.receipt) return;
    for (const auto& exchange : std::exchange(found->second.waiting, {}))
        respond(*exchange, receipt);
    bytes_ += receipt.size();
    found->second.receipt = std::move(receipt);
    order_.push_back(request);
    while (order_.size() > limits_.count_max || bytes_ > limits_.bytes_max) forget_oldest();
}

void ReceiptStore::drop(const RequestId& request, const Error& error) {
    const auto found = receipts_.find(request);
    if (found == receipts_.end() || found->second.receipt) return;
    for (const auto& exchange : found->second.waiting) respond_error(*exchange, error);
    receipts_.erase(found);
}

void ReceiptStore::forget_oldest() {
    const auto found = receipts_.find(order_.front());
    order_.pop_front();
    bytes_ -= found->second.receipt->size();
    receipts_.erase(found);
}

Result<RequestId> ReceiptStore::parse_id(std::string_view id) {
    const size_t dash = id.rfind('-');
    const auto bytes =
        array_from_hex<16>(dash == std::string_view::npos ? id : id.substr(dash + 1));
    if (!bytes) {
        return fail(ErrorCode::receipt_unknown,
                    "no receipt of this id: the entry keeps those of its last answers");
    }
    return RequestId{*bytes};
}

void ReceiptStore::fetch(std::string_view id, std::shared_ptr<net::HttpExchange> exchange) {
    const auto request = parse_id(id);
    if (!request) return respond_error(*exchange, request.error());
    const auto found = receipts_.find(*request);
    if (found == receipts_.end()) {
        const auto kept = kept_ ? kept_(*request) : Bytes{};
        if (!kept) return respond_error(*exchange, kept.error());
        if (!kept->empty()) return respond(*exchange, std::string(as_text(*kept)));
        return respond_error(
            *exchange, fail(ErrorCode::receipt_unknown,
                            "no receipt of this id: the entry keeps those of its last answers"));
    }
    if (found->second.receipt) return respond(*exchange, *found->second.receipt);
    if (found->second.waiting.size() >= limits_.waiting_max) {
        return respond_error(*exchange,
                             fail(ErrorCode::overloaded, "others wait for this receipt already"));
    }
    found->second.waiting.push_back(std::move(exchange));
}

}  // namespace teetee::api
