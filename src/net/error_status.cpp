// SPDX-License-Identifier: Apache-2.0
#include "net/error_status.hpp"

namespace teetee::net {

ErrorStatus status_for(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid_argument:
        case ErrorCode::invalid_json:
        case ErrorCode::invalid_utf8:
        case ErrorCode::field_invalid:
        case ErrorCode::context_exceeded:
        // Not even an idle network has that much.
        case ErrorCode::kv_cache_full:
        case ErrorCode::token_out_of_range:
        case ErrorCode::limit_exceeded:
        case ErrorCode::vocabulary_invalid:
        case ErrorCode::template_unsupported:
        case ErrorCode::grammar_invalid:
        case ErrorCode::grammar_too_complex:
        case ErrorCode::template_malformed:
        case ErrorCode::template_failed:
        case ErrorCode::version_unsupported:
        case ErrorCode::decrypt_failed:
        case ErrorCode::sealed_malformed:
        case ErrorCode::sealed_stale:
        case ErrorCode::payment_malformed:
        case ErrorCode::call_reverted:
        case ErrorCode::signature_invalid:
            return {400, "invalid_request_error"};
        case ErrorCode::sign_in_rejected:
        case ErrorCode::api_key_invalid:
            return {401, "authentication_error"};
        case ErrorCode::payment_required:
        case ErrorCode::voucher_unknown:
        case ErrorCode::voucher_ended:
        case ErrorCode::voucher_exhausted:
        case ErrorCode::query_unknown:
        case ErrorCode::query_mismatch:
            return {402, "payment_error"};
        case ErrorCode::host_unknown:
            return {403, "permission_error"};
        case ErrorCode::model_unknown:
        case ErrorCode::route_unknown:
        case ErrorCode::receipt_unknown:
            return {404, "invalid_request_error"};
        case ErrorCode::method_not_allowed:
            return {405, "invalid_request_error"};
        case ErrorCode::sealed_key_unknown:
        case ErrorCode::sealed_replayed:
        case ErrorCode::payment_in_use:
            return {409, "invalid_request_error"};
        // The request is well: another entry may have that format.
        case ErrorCode::activations_differ:
            return {409, "server_error"};
        case ErrorCode::body_too_large:
            return {413, "invalid_request_error"};
        case ErrorCode::grammar_stuck:
            return {422, "invalid_request_error"};
        case ErrorCode::overloaded:
            return {429, "overloaded_error"};
        case ErrorCode::not_ready:
        case ErrorCode::fee_too_high:
        case ErrorCode::route_unavailable:
        case ErrorCode::rpc_unavailable:
        case ErrorCode::rpc_disagreement:
        case ErrorCode::chain_mismatch:
        case ErrorCode::events_inconsistent:
        case ErrorCode::chain_reorganised:
            return {503, "server_error"};
        case ErrorCode::stage_failed:
            return {502, "server_error"};
        case ErrorCode::stage_timeout:
        case ErrorCode::deadline_exceeded:
            return {504, "server_error"};
        default:
            return {500, "server_error"};
    }
}

}  // namespace teetee::net
