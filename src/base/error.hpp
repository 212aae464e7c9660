// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace teetee {

/// Every way an operation can fail, a hundred numbers a module. Only the code crosses a trust
/// boundary (wire, API); the detail stays in the process. Numbers are stable: never reuse one.
enum class ErrorCode : uint16_t {
    // base: 1..99
    invalid_argument = 1,
    invalid_hex = 2,
    invalid_utf8 = 3,
    invalid_json = 4,
    limit_exceeded = 5,
    io_failed = 6,
    not_found = 7,
    cancelled = 8,
    internal = 9,
    unsupported = 10,
    // crypto: 100..199
    crypto_failed = 100,
    signature_invalid = 101,
    key_invalid = 102,
    decrypt_failed = 103,
    sequence_exhausted = 104,
    // tensor: 200..299
    kernel_unavailable = 200,
    // model: 300..399
    gguf_malformed = 300,
    gguf_truncated = 301,
    gguf_unsupported = 302,
    safetensors_malformed = 303,
    architecture_unsupported = 304,
    hyperparameter_invalid = 305,
    tensor_missing = 306,
    tensor_shape_wrong = 307,
    tensor_type_unsupported = 308,
    vocabulary_invalid = 309,
    tokenizer_unsupported = 310,
    token_out_of_range = 311,
    context_exceeded = 312,
    kv_cache_full = 313,
    sequence_unknown = 314,
    manifest_malformed = 315,
    shard_mismatch = 316,
    template_unsupported = 317,
    template_malformed = 318,
    template_failed = 319,
    prefix_unknown = 325,
    weights_cache_rejected = 326,
    grammar_invalid = 330,
    grammar_stuck = 331,
    grammar_too_complex = 332,
    // attest: 400..499
    quote_malformed = 400,
    quote_unsupported = 401,
    quote_signature_invalid = 402,
    certificate_malformed = 403,
    certificate_chain_invalid = 404,
    certificate_expired = 405,
    root_untrusted = 406,
    qe_report_invalid = 407,
    report_data_mismatch = 408,
    statement_malformed = 409,
    statement_expired = 410,
    statement_mismatch = 411,
    measurement_rejected = 412,
    attributes_rejected = 413,
    policy_malformed = 414,
    evidence_missing = 415,
    evidence_unavailable = 416,
    shard_rejected = 417,
    simulated_rejected = 418,
    collateral_unavailable = 419,
    collateral_missing = 420,
    collateral_malformed = 421,
    collateral_expired = 422,
    collateral_mismatch = 423,
    collateral_signature_invalid = 424,
    collateral_too_old = 425,
    certificate_revoked = 426,
    qe_identity_mismatch = 427,
    tdx_module_mismatch = 428,
    tcb_level_missing = 429,
    tcb_status_rejected = 430,
    advisory_rejected = 431,
    platform_rejected = 432,
    tdx_module_rejected = 433,
    event_log_malformed = 450,
    event_log_mismatch = 451,
    compose_hash_mismatch = 452,
    snp_report_malformed = 455,
    snp_report_mismatch = 456,
    snp_policy_rejected = 457,
    receipt_malformed = 480,
    receipt_rejected = 481,
    audit_mismatch = 482,
    advert_malformed = 490,
    // chain: 500..599
    rlp_malformed = 500,
    abi_malformed = 501,
    transaction_malformed = 502,
    account_malformed = 503,
    amount_malformed = 504,
    amount_overflow = 505,
    keystore_malformed = 510,
    keystore_unsupported = 511,
    keystore_locked = 512,
    rpc_malformed = 520,
    rpc_refused = 521,
    call_reverted = 522,
    rpc_unavailable = 523,
    rpc_disagreement = 524,
    chain_mismatch = 525,
    chain_reorganised = 526,
    transaction_failed = 527,
    fee_too_high = 528,
    events_inconsistent = 529,
    // wire: 600..699
    frame_malformed = 600,
    frame_too_large = 601,
    version_unsupported = 602,
    message_unexpected = 603,
    // pipeline: 700..799
    route_unavailable = 700,
    stage_failed = 701,
    stage_timeout = 702,
    overloaded = 703,
    request_unknown = 704,
    epoch_stale = 705,
    deadline_exceeded = 706,
    // billing: 750..799
    payment_required = 750,
    payment_malformed = 751,
    payment_in_use = 752,
    voucher_unknown = 753,
    voucher_ended = 754,
    voucher_exhausted = 755,
    query_unknown = 756,
    query_mismatch = 757,
    host_unknown = 758,
    sign_in_rejected = 759,
    ledger_failed = 760,
    settlement_rejected = 761,
    // net: 800..899
    address_invalid = 800,
    port_in_use = 801,
    connect_failed = 802,
    connection_closed = 803,
    tls_failed = 804,
    timed_out = 805,
    http_malformed = 806,
    body_too_large = 807,
    channel_unbound = 808,
    // hub: 850..899
    hub_malformed = 850,
    hub_refused = 851,
    hub_unavailable = 852,
    access_denied = 853,
    rate_limited = 854,
    download_mismatch = 855,
    download_changed = 856,
    file_ambiguous = 857,
    already_exists = 858,
    // node, api: 900..1099
    config_invalid = 900,
    not_ready = 901,
    field_invalid = 1000,
    model_unknown = 1001,
    route_unknown = 1002,
    method_not_allowed = 1003,
    receipt_unknown = 1004,
    activations_differ = 1005,
    api_key_invalid = 1006,
    sealed_malformed = 1010,
    sealed_key_unknown = 1011,
    sealed_stale = 1012,
    sealed_replayed = 1013,
    sealed_truncated = 1014,
};

/// The code's name as written above; "unknown" for a number that is none of them.
std::string_view to_string(ErrorCode code);
/// The reverse; nullopt for what is no code's name.
std::optional<ErrorCode> error_code_named(std::string_view name);

/// What went wrong. `detail` names the component, what it has and what is needed; it never holds
/// prompt text, keys or activations, and at most 64 bytes of anything a peer sent.
struct Error {
    ErrorCode code{};
    std::string detail;

    /// "code: detail", for logs and terminals.
    std::string message() const;
};

/// Puts where the error happened in front of its detail: "blk.0.attn_q.weight: ...".
Error in_context(std::string_view context, Error error);

/// A peer's or file's string made safe to quote: printable ASCII, cut to 64 bytes.
std::string quote_foreign(std::string_view foreign);

}  // namespace teetee
