// SPDX-License-Identifier: Apache-2.0
#include "cli/anchor_check.hpp"

#include "attest/statement.hpp"
#include "cli/wallet.hpp"

namespace teetee::cli {
namespace {

Result<chain::AnchorRecord> look_up(const Result<std::string>& text, const attest::Receipt& receipt,
                                    const NetworkTerms& terms, ChainOption where,
                                    AnchorCheck& out) {
    if (receipt.stages.empty()) return fail(ErrorCode::receipt_rejected, "no entry has signed");
    TT_TRY(const auto entry, attest::decode_statement(receipt.stages.front().statement));
    if (!text) return text.error();
    TT_TRY(out.anchor, client::parse_receipt_anchor(*text));
    TT_TRY(const auto chain, open_view(where));
    return client::check_anchor({.digest = attest::receipt_digest(receipt),
                                 .entry = entry.receipt_address,
                                 .deployment = terms.deployment,
                                 .pool = terms.pool},
                                *out.anchor, chain->state());
}

}  // namespace

Result<AnchorCheck> check_anchor(const Result<std::string>& text, const attest::Receipt& receipt,
                                 const NetworkTerms& terms,
                                 const std::vector<std::string>& rpc_urls) {
    ChainOption where;
    where.rpc_urls = rpc_urls;
    if (where.rpc_urls.empty() && !terms.rpc_url.empty()) where.rpc_urls = {terms.rpc_url};
    where.deployment_path = terms.deployment_path;
    if (terms.pool == 0 || where.rpc_urls.empty()) {
        return fail(ErrorCode::invalid_argument,
                    "--anchor needs --rpc, --deployment and --pool, to ask the contract");
    }
    AnchorCheck out{.check = {.what = "the receipt is anchored in the contract"}};
    auto record = look_up(text, receipt, terms, std::move(where), out);
    const bool is_judged = record || record.error().code == ErrorCode::receipt_rejected ||
                           record.error().code == ErrorCode::not_ready;
    if (!is_judged) return record.error();
    if (record) {
        out.record = *record;
    } else {
        out.check.error = record.error();
    }
    return out;
}

}  // namespace teetee::cli
