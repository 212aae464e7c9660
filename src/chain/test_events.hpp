// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain/contract_events.hpp"

// Events of one small pool. Tests and fuzzers include it, no product code.
namespace teetee::chain {

inline constexpr Address test_creator = {0xcc};
inline constexpr Address test_host = {0x40};
inline constexpr Address test_payer = {0x9a};
inline constexpr Digest test_measurement = {0x3e};
inline constexpr Digest test_voucher = {0x70};
inline constexpr uint64_t test_start = 1'000'000;

inline tee_tee::PoolCreatedEvent pool_created(uint64_t pool = 1) {
    return {.pool = pool,
            .creator = test_creator,
            .model_root = {0x01},
            .manifest_uri = "https://models.example/m.json",
            .slot_layers = {2, 3},
            .fee_bps = 500,
            .verifier = {0x7e}};
}

inline tee_tee::PricesAnnouncedEvent prices_announced(Prices prices, uint64_t from) {
    return {.pool = 1, .prompt = prices.prompt, .completion = prices.completion, .from = from};
}

inline tee_tee::MeasurementAcceptedEvent measurement_accepted(uint64_t from = test_start) {
    return {.pool = 1, .measurement = test_measurement, .from = from};
}

inline tee_tee::NodeRegisteredEvent node_registered(uint64_t node, uint64_t slot = 0) {
    return {.pool = 1,
            .node = node,
            .host = test_host,
            .slot = slot,
            .receipt_key = {0x4e, static_cast<uint8_t>(node)},
            .statement_hash = {0x51},
            .evidence_hash = {0xe1},
            .measurement = test_measurement,
            .expiry = test_start + 3600,
            .endpoint = "https://node.example:7000"};
}

inline tee_tee::CreditsBoughtEvent credits_bought(uint64_t amount, Address account = test_payer) {
    return {.account = account, .buyer = account, .amount = amount};
}

inline tee_tee::VoucherOpenedEvent voucher_opened(uint64_t ceiling, Digest id = test_voucher) {
    return {.voucher = id,
            .payer = test_payer,
            .pool = 1,
            .session_key = {0x5e},
            .ceiling = ceiling,
            .expiry = test_start + 3600};
}

inline tee_tee::QueryPaidEvent query_paid(uint64_t query, uint64_t locked) {
    return {.query = query,
            .pool = 1,
            .payer = test_payer,
            .entry = {0x4e, 1},
            .request_hash = {0x9e},
            .max_prompt_tokens = 10,
            .max_completion_tokens = 20,
            .locked = locked,
            .deadline = test_start + 600};
}

}  // namespace teetee::chain
