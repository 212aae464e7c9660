// SPDX-License-Identifier: Apache-2.0
#include "client/entry_terms.hpp"

#include "base/strict_json.hpp"
#include "billing/payment_header.hpp"
#include "client/json_numbers.hpp"
#include "client/limits.hpp"
#include "client/partial_answer.hpp"

namespace teetee::client {
namespace {

constexpr JsonLimits limits = {payment_answer_bytes_max, 8};

/// The whole body of an answer of 200.
Result<std::string> take(const Result<VerifiedEntry::Answer>& answer, std::string body) {
    if (!answer) return answer.error();
    if (answer->status != 200) return read_entry_error(answer->beginning).error;
    return body;
}

}  // namespace

Result<EntryTerms> parse_entry_terms(std::string_view body) {
    TT_TRY(const auto value, parse_strict_json(body, limits));
    TT_TRY(const auto fields,
           chain::JsonFields::of(value, "the entry's terms", ErrorCode::invalid_json));
    TT_TRY(const auto* is_free, fields.value("free"));
    if (!is_free->is_bool()) return fields.wrong("free", "something else", "true or false");
    EntryTerms out{.is_free = is_free->get_bool()};
    if (out.is_free) return out;
    TT_TRY(out.deployment.chain_id, big_number(fields, "chain_id"));
    TT_TRY(out.deployment.contract, address_at(fields, "contract"));
    TT_TRY(out.pool, big_number(fields, "pool"));
    TT_TRY(out.entry, address_at(fields, "entry"));
    if (fields.is_absent("prompt_price")) return out;
    out.prices.emplace();
    TT_TRY(out.prices->prompt, big_number(fields, "prompt_price"));
    TT_TRY(out.prices->completion, big_number(fields, "completion_price"));
    return out;
}

Result<EntryTerms> fetch_terms(const VerifiedEntry& entry) {
    std::string body;
    const auto answer = entry.get("/v1/payment", [&body](std::string_view chunk) {
        body += chunk;
        return body.size() <= payment_answer_bytes_max;
    });
    TT_TRY(const auto whole, take(answer, std::move(body)));
    return parse_entry_terms(whole);
}

Result<billing::Standing> parse_standing(std::string_view body) {
    TT_TRY(const auto value, parse_strict_json(body, limits));
    TT_TRY(const auto fields,
           chain::JsonFields::of(value, "the voucher's standing", ErrorCode::invalid_json));
    billing::Standing out;
    TT_TRY(out.charged, big_number(fields, "charged"));
    TT_TRY(out.held, big_number(fields, "held"));
    TT_TRY(out.signed_amount, big_number(fields, "signed"));
    TT_TRY(out.claimable, big_number(fields, "claimable"));
    return out;
}

Result<std::string> post_for_json(const VerifiedEntry& entry, std::string_view path,
                                  const std::string& body, const net::HttpHeaders& headers) {
    std::string out;
    const auto answer = entry.post(path, body, headers, [&out](std::string_view chunk) {
        out += chunk;
        return out.size() <= payment_answer_bytes_max;
    });
    return take(answer, std::move(out));
}

Result<billing::Standing> raise_voucher(const VerifiedEntry& entry,
                                        const billing::SignedSpend& spend) {
    const net::HttpHeaders headers = {
        {std::string(billing::payment_header_name),
         billing::encode_payment(billing::VoucherPayment{spend, std::nullopt})}};
    TT_TRY(const auto body, post_for_json(entry, "/v1/payment/raise", "", headers));
    return parse_standing(body);
}

}  // namespace teetee::client
