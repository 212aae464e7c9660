// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <cstdio>
#include <cstdlib>

#include "base/assert.hpp"

namespace teetee {

std::string_view to_string(ErrorCode code) {
    switch (code) {
#define TT_NAME(name)     \
    case ErrorCode::name: \
        return #name
        TT_NAME(invalid_argument);
        TT_NAME(invalid_hex);
        TT_NAME(invalid_utf8);
        TT_NAME(invalid_json);
        TT_NAME(limit_exceeded);
        TT_NAME(io_failed);
        TT_NAME(not_found);
        TT_NAME(cancelled);
        TT_NAME(internal);
        TT_NAME(unsupported);
        TT_NAME(crypto_failed);
        TT_NAME(signature_invalid);
        TT_NAME(key_invalid);
        TT_NAME(decrypt_failed);
        TT_NAME(sequence_exhausted);
        TT_NAME(kernel_unavailable);
        TT_NAME(gguf_malformed);
        TT_NAME(gguf_truncated);
        TT_NAME(gguf_unsupported);
        TT_NAME(safetensors_malformed);
        TT_NAME(architecture_unsupported);
        TT_NAME(hyperparameter_invalid);
        TT_NAME(tensor_missing);
        TT_NAME(tensor_shape_wrong);
        TT_NAME(tensor_type_unsupported);
        TT_NAME(vocabulary_invalid);
        TT_NAME(tokenizer_unsupported);
        TT_NAME(token_out_of_range);
        TT_NAME(context_exceeded);
        TT_NAME(kv_cache_full);
        TT_NAME(sequence_unknown);
        TT_NAME(manifest_malformed);
        TT_NAME(shard_mismatch);
        TT_NAME(template_unsupported);
        TT_NAME(template_malformed);
        TT_NAME(template_failed);
        TT_NAME(prefix_unknown);
        TT_NAME(weights_cache_rejected);
        TT_NAME(grammar_invalid);
        TT_NAME(grammar_stuck);
        TT_NAME(grammar_too_complex);
        TT_NAME(quote_malformed);
        TT_NAME(quote_unsupported);
        TT_NAME(quote_signature_invalid);
        TT_NAME(certificate_malformed);
        TT_NAME(certificate_chain_invalid);
        TT_NAME(certificate_expired);
        TT_NAME(root_untrusted);
        TT_NAME(qe_report_invalid);
        TT_NAME(report_data_mismatch);
        TT_NAME(statement_malformed);
        TT_NAME(statement_expired);
        TT_NAME(statement_mismatch);
        TT_NAME(measurement_rejected);
        TT_NAME(attributes_rejected);
        TT_NAME(policy_malformed);
        TT_NAME(evidence_missing);
        TT_NAME(evidence_unavailable);
        TT_NAME(shard_rejected);
        TT_NAME(simulated_rejected);
        TT_NAME(receipt_malformed);
        TT_NAME(receipt_rejected);
        TT_NAME(audit_mismatch);
        TT_NAME(advert_malformed);
        TT_NAME(collateral_unavailable);
        TT_NAME(collateral_missing);
        TT_NAME(collateral_malformed);
        TT_NAME(collateral_expired);
        TT_NAME(collateral_mismatch);
        TT_NAME(collateral_signature_invalid);
        TT_NAME(collateral_too_old);
        TT_NAME(certificate_revoked);
        TT_NAME(qe_identity_mismatch);
        TT_NAME(tdx_module_mismatch);
        TT_NAME(tcb_level_missing);
        TT_NAME(tcb_status_rejected);
        TT_NAME(advisory_rejected);
        TT_NAME(platform_rejected);
        TT_NAME(tdx_module_rejected);
        TT_NAME(event_log_malformed);
        TT_NAME(event_log_mismatch);
        TT_NAME(compose_hash_mismatch);
        TT_NAME(snp_report_malformed);
        TT_NAME(snp_report_mismatch);
        TT_NAME(snp_policy_rejected);
        TT_NAME(rlp_malformed);
        TT_NAME(abi_malformed);
        TT_NAME(transaction_malformed);
        TT_NAME(account_malformed);
        TT_NAME(amount_malformed);
        TT_NAME(amount_overflow);
        TT_NAME(keystore_malformed);
        TT_NAME(keystore_unsupported);
        TT_NAME(keystore_locked);
        TT_NAME(rpc_malformed);
        TT_NAME(rpc_refused);
        TT_NAME(call_reverted);
        TT_NAME(rpc_unavailable);
        TT_NAME(rpc_disagreement);
        TT_NAME(chain_mismatch);
        TT_NAME(chain_reorganised);
        TT_NAME(transaction_failed);
        TT_NAME(fee_too_high);
        TT_NAME(events_inconsistent);
        TT_NAME(frame_malformed);
        TT_NAME(frame_too_large);
        TT_NAME(version_unsupported);
        TT_NAME(message_unexpected);
        TT_NAME(route_unavailable);
        TT_NAME(stage_failed);
        TT_NAME(stage_timeout);
        TT_NAME(overloaded);
        TT_NAME(request_unknown);
        TT_NAME(epoch_stale);
        TT_NAME(deadline_exceeded);
        TT_NAME(payment_required);
        TT_NAME(payment_malformed);
        TT_NAME(payment_in_use);
        TT_NAME(voucher_unknown);
        TT_NAME(voucher_ended);
        TT_NAME(voucher_exhausted);
        TT_NAME(query_unknown);
        TT_NAME(query_mismatch);
        TT_NAME(host_unknown);
        TT_NAME(sign_in_rejected);
        TT_NAME(ledger_failed);
        TT_NAME(settlement_rejected);
        TT_NAME(address_invalid);
        TT_NAME(port_in_use);
        TT_NAME(connect_failed);
        TT_NAME(connection_closed);
        TT_NAME(tls_failed);
        TT_NAME(timed_out);
        TT_NAME(http_malformed);
        TT_NAME(body_too_large);
        TT_NAME(channel_unbound);
        TT_NAME(hub_malformed);
        TT_NAME(hub_refused);
        TT_NAME(hub_unavailable);
        TT_NAME(access_denied);
        TT_NAME(rate_limited);
        TT_NAME(download_mismatch);
        TT_NAME(download_changed);
        TT_NAME(file_ambiguous);
        TT_NAME(already_exists);
        TT_NAME(config_invalid);
        TT_NAME(not_ready);
        TT_NAME(field_invalid);
        TT_NAME(model_unknown);
        TT_NAME(route_unknown);
        TT_NAME(method_not_allowed);
        TT_NAME(receipt_unknown);
        TT_NAME(activations_differ);
        TT_NAME(api_key_invalid);
        TT_NAME(sealed_malformed);
        TT_NAME(sealed_key_unknown);
        TT_NAME(sealed_stale);
        TT_NAME(sealed_replayed);
        TT_NAME(sealed_truncated);
#undef TT_NAME
    }
    return "unknown";
}

std::optional<ErrorCode> error_code_named(std::string_view name) {
    if (name == "unknown") return std::nullopt;
    for (uint16_t number = 1; number < UINT16_MAX; ++number) {
        const auto code = static_cast<ErrorCode>(number);
        if (to_string(code) == name) return code;
    }
    return std::nullopt;
}

std::string Error::message() const {
    std::string text(to_string(code));
    if (!detail.empty()) text.append(": ").append(detail);
    return text;
}

Error in_context(std::string_view context, Error error) {
    error.detail.insert(0, std::string(context) + ": ");
    return error;
}

std::string quote_foreign(std::string_view foreign) {
    constexpr size_t shown_bytes_max = 64;
    std::string out = "'";
    for (const char c : foreign.substr(0, shown_bytes_max)) {
        out.push_back(c >= 0x20 && c < 0x7f ? c : '?');
    }
    out += foreign.size() > shown_bytes_max ? "...'" : "'";
    return out;
}

void assertion_failed(const char* expression, const char* file, int line) {
    std::fprintf(stderr, "assertion failed: %s at %s:%d\n", expression, file, line);
    std::abort();
}

}  // namespace teetee
