// SPDX-License-Identifier: Apache-2.0
#include "api/sealed_exchange.hpp"

namespace teetee::api {
namespace {

using Last = sealed::AnswerSealer::Last;

/// Nothing on the way is to keep an answer or to wait for more of it.
const net::HttpHeaders outer_headers = {{"cache-control", "no-store"}, {"x-accel-buffering", "no"}};

sealed::AnswerHead head_of(int status, std::string_view content_type,
                           const net::HttpHeaders& headers) {
    sealed::AnswerHead head{status, headers};
    head.headers.insert_or_assign("content-type", std::string(content_type));
    return head;
}

}  // namespace

void SealedExchange::respond(net::HttpResponse response) {
    auto records = sealer_.begin(head_of(response.status, response.content_type, response.headers));
    auto body = sealer_.seal(as_bytes(response.content()), Last::yes);
    const auto outer = std::exchange(outer_, nullptr);
    // Dropped unanswered, it says 500.
    if (outer == nullptr || !records || !body) return;
    net::HttpResponse sealed_response{.status = 200,
                                      .content_type = std::string(sealed::content_type),
                                      .headers = outer_headers,
                                      .body = {}};
    sealed_response.body.append(as_text(*records)).append(as_text(*body));
    outer->respond(std::move(sealed_response));
}

void SealedExchange::begin_stream(int status, std::string_view content_type,
                                  const net::HttpHeaders& headers) {
    if (outer_ == nullptr) return;
    outer_->begin_stream(200, sealed::content_type, outer_headers);
    send(sealer_.begin(head_of(status, content_type, headers)));
}

void SealedExchange::write(std::string_view chunk) {
    send(sealer_.seal(as_bytes(chunk), Last::no));
}

void SealedExchange::finish() {
    if (send(sealer_.seal({}, Last::yes))) std::exchange(outer_, nullptr)->finish();
}

void SealedExchange::on_disconnect(std::function<void()> callback) {
    if (outer_ != nullptr) outer_->on_disconnect(std::move(callback));
}

size_t SealedExchange::pending_bytes() const {
    return outer_ == nullptr ? 0 : outer_->pending_bytes();
}

bool SealedExchange::send(const Result<Bytes>& records) {
    if (outer_ == nullptr) return false;
    if (!records) {
        outer_.reset();
        return false;
    }
    outer_->write(as_text(*records));
    return true;
}

}  // namespace teetee::api
