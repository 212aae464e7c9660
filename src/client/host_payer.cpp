// SPDX-License-Identifier: Apache-2.0
#include "client/host_payer.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/strict_json.hpp"
#include "chain/json_fields.hpp"
#include "chain/typed_data.hpp"
#include "client/entry_terms.hpp"
#include "client/limits.hpp"

namespace teetee::client {
namespace {

namespace json = boost::json;

/// One text out of a JSON object.
Result<std::string> text_of(std::string_view body, std::string_view key) {
    TT_TRY(const auto value, parse_strict_json(body, {payment_answer_bytes_max, 8}));
    TT_TRY(const auto fields, chain::JsonFields::of(value, "sign-in", ErrorCode::invalid_json));
    TT_TRY(const auto text, fields.text(key));
    return std::string(text);
}

/// Nothing is signed but a sign-in of this wallet to this entry.
Result<void> ensure_sign_in(std::string_view message, const crypto::Address& wallet,
                            const crypto::Address& entry) {
    const std::string whose = " wants you to sign in with your Ethereum account:\n" +
                              chain::to_checksum_text(wallet) + "\n";
    const std::string where = "\nURI: teetee:" + chain::to_checksum_text(entry) + "\n";
    const size_t line = message.find('\n');
    const size_t at = message.find(whose);
    if (at != std::string_view::npos && at < line && message.find(where) != std::string_view::npos)
        return {};
    return fail(ErrorCode::sign_in_rejected, "the message to sign is none of this entry's");
}

}  // namespace

Result<ByteArray<32>> sign_in(const VerifiedEntry& entry, const crypto::SecpKey& wallet) {
    const json::object asked = {{"address", chain::to_checksum_text(wallet.address())}};
    TT_TRY(const auto challenge, post_for_json(entry, "/v1/sign-in", json::serialize(asked), {}));
    TT_TRY(const auto message, text_of(challenge, "message"));
    TT_CHECK(ensure_sign_in(message, wallet.address(), entry.receipt_address()));
    const auto signature = wallet.sign_recoverable(chain::personal_digest(message));
    const json::object proof = {{"message", message}, {"signature", "0x" + to_hex(signature)}};
    TT_TRY(const auto answer,
           post_for_json(entry, "/v1/sign-in/token", json::serialize(proof), {}));
    TT_TRY(const auto token, text_of(answer, "token"));
    return array_from_hex<32>(token);
}

class HostPayer::Answer : public AnswerPayment {
  public:
    explicit Answer(HostPayer& payer) : payer_(payer) {}

    Result<billing::PaymentClaim> pay(const VerifiedEntry& entry, const Purchase&) override {
        TT_TRY(token_, payer_.token_for(entry));
        return billing::PaymentClaim(billing::HostToken{*token_});
    }

    /// Once, when a token is too old.
    bool tries_again(ErrorCode refusal) override {
        if (refusal != ErrorCode::sign_in_rejected || !token_) return false;
        payer_.forget(*token_);
        return !std::exchange(is_renewed_, true);
    }

  private:
    HostPayer& payer_;
    std::optional<ByteArray<32>> token_;
    bool is_renewed_ = false;
};

std::unique_ptr<AnswerPayment> HostPayer::begin() {
    return std::make_unique<Answer>(*this);
}

Result<ByteArray<32>> HostPayer::token_for(const VerifiedEntry& entry) {
    const std::lock_guard lock(mutex_);
    const crypto::Address address = entry.receipt_address();
    if (const auto known = tokens_.find(address); known != tokens_.end()) return known->second;
    TT_TRY(const auto token, sign_in(entry, wallet_));
    tokens_[address] = token;
    return token;
}

void HostPayer::forget(const ByteArray<32>& token) {
    const std::lock_guard lock(mutex_);
    std::erase_if(tokens_, [&](const auto& known) { return known.second == token; });
}

}  // namespace teetee::client
