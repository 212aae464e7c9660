// SPDX-License-Identifier: Apache-2.0
#include "cli/registration_check.hpp"

#include <fmt/format.h>

#include "attest/chain_measurement.hpp"
#include "cli/amount_text.hpp"
#include "crypto/hash.hpp"

namespace teetee::cli {
namespace {

// As contracts allow for clocks.
constexpr uint64_t clock_leeway_s = 120;

Error wrong(std::string_view what, std::string_view have, std::string_view need) {
    return fail(ErrorCode::statement_mismatch,
                fmt::format("{}: have {}, need {}", what, have, need));
}

std::string text(uint64_t number) {
    return std::to_string(number);
}
std::string text(const chain::Address& address) {
    return chain::to_checksum_text(address);
}
std::string text(const Digest& digest) {
    return "0x" + to_hex(digest);
}
std::string text(LayerRange layers) {
    return fmt::format("{}-{}", layers.begin, layers.end == 0 ? 0 : layers.end - 1);
}

template <class T>
Result<void> ensure_same(std::string_view what, const T& have, const T& need) {
    if (have == need) return {};
    return wrong(what, text(have), text(need));
}

Result<void> check_deployment(const chain::RegistrationFile& file, const RegistrationNeeds& needs) {
    TT_CHECK(
        ensure_same("registration.chain_id", file.deployment.chain_id, needs.deployment.chain_id));
    TT_CHECK(
        ensure_same("registration.contract", file.deployment.contract, needs.deployment.contract));
    if (file.host == needs.wallet) return {};
    return wrong("registration.host", text(file.host),
                 "this wallet, " + text(needs.wallet) + " (the node is told with its host)");
}

Result<LayerRange> check_slot(const chain::RegistrationFile& file, const RegistrationNeeds& needs) {
    if (needs.pool == nullptr)
        return wrong("registration.pool", text(file.pool), "one of teetee pool list");
    if (needs.pool->closed && !needs.is_renewal)
        return wrong("registration.pool", text(file.pool) + ", which is closed", "an open one");
    const auto& layers = needs.pool->slot_layers;
    if (file.slot >= layers.size()) {
        return wrong("registration.slot", text(file.slot),
                     fmt::format("one below {}, the pool's slots", layers.size()));
    }
    uint64_t begin = 0;
    for (uint64_t slot = 0; slot < file.slot; ++slot) begin += layers[slot];
    return LayerRange{static_cast<uint32_t>(begin),
                      static_cast<uint32_t>(begin + layers[file.slot])};
}

Result<void> check_dates(const attest::Statement& statement, uint64_t now) {
    const auto begin = static_cast<uint64_t>(statement.not_before);
    const auto end = static_cast<uint64_t>(statement.not_after);
    if (now + clock_leeway_s >= begin && now < end) return {};
    return fail(ErrorCode::statement_expired,
                fmt::format("statement: have {} to {}, need {} in between: let the node make a new "
                            "one",
                            time_text(begin), time_text(end), time_text(now)));
}

Result<void> check_statement(const attest::Statement& statement,
                             const chain::RegistrationFile& file, const RegistrationNeeds& needs,
                             LayerRange layers) {
    TT_CHECK(ensure_same("statement.chain_id", statement.chain_id, file.deployment.chain_id));
    TT_CHECK(ensure_same("statement.contract", statement.contract, file.deployment.contract));
    TT_CHECK(ensure_same("statement.pool", statement.pool, file.pool));
    TT_CHECK(ensure_same("statement.model_root", statement.model_root, needs.pool->model_root));
    TT_CHECK(ensure_same("statement.layers", statement.layers, layers));
    TT_CHECK(ensure_same("statement.policy_hash", statement.policy_hash,
                         needs.pool->policy.at(needs.now).hash));
    return check_dates(statement, needs.now);
}

}  // namespace

Result<attest::Statement> check_registration(const chain::RegistrationFile& file,
                                             const RegistrationNeeds& needs) {
    TT_CHECK(check_deployment(file, needs));
    TT_TRY(const LayerRange layers, check_slot(file, needs));
    TT_TRY(auto statement, attest::decode_statement(file.statement));
    TT_CHECK(check_statement(statement, file, needs, layers));
    const Digest digest = chain::registration_digest(
        file.deployment, {.host = file.host,
                          .pool = file.pool,
                          .slot = file.slot,
                          .statement_hash = crypto::sha256(file.statement),
                          .endpoint = file.endpoint});
    TT_TRY(const auto signer, crypto::recover_address(digest, file.signature));
    if (signer == statement.receipt_address) return statement;
    return fail(ErrorCode::signature_invalid,
                fmt::format("registration.signature: have one by {} or over something else, need "
                            "the receipt key's, {}",
                            text(signer), text(statement.receipt_address)));
}

Result<void> check_registration_quote(const chain::RegistrationFile& file,
                                      const RegistrationNeeds& needs) {
    TT_TRY(const auto quote, attest::parse_quote(file.quote));
    const auto* report = std::get_if<attest::TdReport>(&quote.report);
    if (report == nullptr)
        return fail(ErrorCode::quote_unsupported, "registration.quote: need one of a TD");
    if (report->report_data != attest::report_data(file.statement, std::nullopt)) {
        return fail(ErrorCode::report_data_mismatch,
                    "registration.quote: is over something else than the statement");
    }
    const Digest measurement = attest::chain_measurement(*report);
    if (needs.is_renewal || needs.pool->accepts(measurement, needs.now)) return {};
    return fail(ErrorCode::measurement_rejected,
                fmt::format("pool {} does not accept code {}; its creator can: teetee pool "
                            "measurement accept {} --measurement {}",
                            file.pool, text(measurement), file.pool, text(measurement)));
}

}  // namespace teetee::cli
