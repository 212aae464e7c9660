// SPDX-License-Identifier: Apache-2.0
#include "chain/sender_state.hpp"

#include <algorithm>

#include "chain/limits.hpp"
#include "crypto/hash.hpp"

namespace teetee::chain {
namespace {

constexpr uint32_t version = 1;

Error malformed(std::string detail) {
    return fail(ErrorCode::invalid_argument, "sender's state: " + std::move(detail));
}

void write_intent(ByteWriter& out, const SendIntent& intent) {
    out.length_prefixed(as_bytes(intent.key));
    out.bytes(intent.to);
    out.bytes(intent.value.to_word());
    out.length_prefixed(intent.data);
    out.u8(intent.gas_limit ? 1 : 0);
    out.u64(intent.gas_limit.value_or(0));
}

void write_outcome(ByteWriter& out, const SendOutcome& outcome) {
    out.u16(outcome.result ? 0 : static_cast<uint16_t>(outcome.result.error().code));
    if (!outcome.result) return out.length_prefixed(as_bytes(outcome.result.error().detail));
    const Inclusion& inclusion = *outcome.result;
    out.bytes(inclusion.transaction_hash);
    out.u64(inclusion.block_number);
    out.bytes(inclusion.block_hash);
    out.u64(inclusion.gas_used);
    out.bytes(inclusion.cost.to_word());
}

Result<Bytes> read_prefixed(ByteReader& in) {
    TT_TRY(const uint32_t bytes, in.read_u32());
    TT_TRY(const ByteView view, in.read_bytes(bytes));
    return Bytes(view.begin(), view.end());
}

Result<SendIntent> read_intent(ByteReader& in) {
    SendIntent out;
    TT_TRY(const Bytes key, read_prefixed(in));
    out.key = as_text(key);
    TT_TRY(out.to, in.read_array<20>());
    TT_TRY(const Word value, in.read_array<32>());
    out.value = U256::from_word(value);
    TT_TRY(out.data, read_prefixed(in));
    TT_TRY(const uint8_t has_limit, in.read_u8());
    TT_TRY(const uint64_t gas_limit, in.read_u64());
    if (has_limit > 1) return malformed("flag");
    if (has_limit == 1) out.gas_limit = gas_limit;
    return out;
}

Result<SendOutcome> read_outcome(ByteReader& in, std::string key) {
    TT_TRY(const uint16_t code, in.read_u16());
    if (code != 0) {
        TT_TRY(const Bytes detail, read_prefixed(in));
        return SendOutcome{
            .key = std::move(key),
            .result = fail(static_cast<ErrorCode>(code), std::string(as_text(detail)))};
    }
    Inclusion out;
    TT_TRY(out.transaction_hash, in.read_array<32>());
    TT_TRY(out.block_number, in.read_u64());
    TT_TRY(out.block_hash, in.read_array<32>());
    TT_TRY(out.gas_used, in.read_u64());
    TT_TRY(const Word cost, in.read_array<32>());
    out.cost = U256::from_word(cost);
    return SendOutcome{.key = std::move(key), .result = out};
}

// Whether the transaction is one that the entry's intent is sent by.
Result<void> ensure_of(const SignedTransaction& attempt, const SentEntry& entry,
                       const Address& account, uint64_t chain_id) {
    const Transaction& transaction = attempt.transaction;
    const bool is_its_own =
        attempt.sender == account && transaction.chain_id == chain_id &&
        transaction.nonce == entry.nonce && transaction.gas_limit == entry.gas_limit &&
        transaction.to == entry.intent.to && transaction.value == entry.intent.value &&
        transaction.data == entry.intent.data;
    if (!is_its_own) return malformed("a transaction that is not the intent's");
    return {};
}

Result<SentEntry> read_entry(ByteReader& in, const Address& account, uint64_t chain_id) {
    SentEntry out;
    TT_TRY(out.intent, read_intent(in));
    TT_TRY(out.nonce, in.read_u64());
    TT_TRY(out.gas_limit, in.read_u64());
    TT_TRY(const uint32_t count, in.read_u32());
    if (count == 0 || count > sender_attempts_max) return malformed("count of attempts");
    for (uint32_t i = 0; i < count; ++i) {
        TT_TRY(const Bytes raw, read_prefixed(in));
        auto attempt = decode_transaction(raw);
        if (!attempt) return malformed(attempt.error().message());
        TT_CHECK(ensure_of(*attempt, out, account, chain_id));
        out.attempts.push_back(std::move(*attempt));
    }
    return out;
}

Result<SenderState> read_state(ByteReader& in, const Address& account, uint64_t chain_id) {
    SenderState out;
    TT_TRY(const uint32_t in_flight, in.read_u32());
    for (uint32_t i = 0; i < in_flight; ++i) {
        TT_TRY(SentEntry entry, read_entry(in, account, chain_id));
        const bool in_order = out.in_flight.empty() || out.in_flight.back().nonce < entry.nonce;
        if (!in_order) return malformed("nonces out of order");
        out.in_flight.push_back(std::move(entry));
    }
    TT_TRY(const uint32_t finished, in.read_u32());
    for (uint32_t i = 0; i < finished; ++i) {
        TT_TRY(const Digest intent_digest, in.read_array<32>());
        TT_TRY(const Bytes key, read_prefixed(in));
        TT_TRY(SendOutcome outcome, read_outcome(in, std::string(as_text(key))));
        out.finished.push_back({.intent_digest = intent_digest, .outcome = std::move(outcome)});
    }
    if (!in.at_end()) return malformed("bytes behind it");
    return out;
}

}  // namespace

Digest digest_of(const SendIntent& intent) {
    ByteWriter out;
    write_intent(out, intent);
    return crypto::sha256(out.view());
}

Bytes encode_sender_state(const SenderState& state, const Address& account, uint64_t chain_id) {
    ByteWriter out;
    out.u32(version);
    out.bytes(account);
    out.u64(chain_id);
    out.u32(static_cast<uint32_t>(state.in_flight.size()));
    for (const SentEntry& entry : state.in_flight) {
        write_intent(out, entry.intent);
        out.u64(entry.nonce);
        out.u64(entry.gas_limit);
        out.u32(static_cast<uint32_t>(entry.attempts.size()));
        for (const SignedTransaction& attempt : entry.attempts) out.length_prefixed(attempt.raw);
    }
    out.u32(static_cast<uint32_t>(state.finished.size()));
    for (const SenderState::Finished& finished : state.finished) {
        out.bytes(finished.intent_digest);
        out.length_prefixed(as_bytes(finished.outcome.key));
        write_outcome(out, finished.outcome);
    }
    return out.take();
}

Result<SenderState> decode_sender_state(ByteView bytes, const Address& account, uint64_t chain_id) {
    ByteReader in(bytes);
    const auto have = in.read_u32();
    if (!have) return malformed("no version");
    if (*have != version) {
        return fail(ErrorCode::unsupported, "sender's state: have version " +
                                                std::to_string(*have) + ", need " +
                                                std::to_string(version));
    }
    const auto owner = in.read_array<20>();
    const auto chain = in.read_u64();
    if (!owner || !chain || *owner != account || *chain != chain_id)
        return malformed("of another account or chain");
    auto state = read_state(in, account, chain_id);
    if (!state && state.error().code != ErrorCode::invalid_argument)
        return malformed(state.error().message());
    return state;
}

}  // namespace teetee::chain
