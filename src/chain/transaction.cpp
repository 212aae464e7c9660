// SPDX-License-Identifier: Apache-2.0
#include "chain/transaction.hpp"

#include <algorithm>

#include "chain/limits.hpp"
#include "chain/rlp.hpp"
#include "crypto/hash.hpp"

namespace teetee::chain {
namespace {

// v of a legacy signature: parity + 27, or parity + 35 + 2 * chain id (EIP-155).
constexpr uint64_t v_plain = 27;
constexpr uint64_t v_of_chain_zero = 35;
// What a first byte from here on begins is a legacy transaction, an RLP list.
constexpr uint8_t list_first_byte = 0xc0;

Error malformed(std::string detail) {
    return fail(ErrorCode::transaction_malformed, "transaction: " + std::move(detail));
}

Result<void> ensure_encodable(const Transaction& transaction) {
    const bool has_one_fee = transaction.max_priority_fee_per_gas == transaction.max_fee_per_gas;
    if (transaction.type != TransactionType::dynamic_fee && !has_one_fee)
        return malformed("two fees per gas in a type that has one");
    if (transaction.type == TransactionType::legacy) {
        if (!transaction.access_list.empty())
            return malformed("an access list in a type that has none");
        return {};
    }
    if (!transaction.chain_id) return malformed("no chain id in a type that needs one");
    return {};
}

void write_access_list(RlpWriter& writer, const std::vector<AccessListEntry>& access_list) {
    RlpWriter entries;
    for (const AccessListEntry& entry : access_list) {
        RlpWriter keys;
        for (const Digest& key : entry.storage_keys) keys.bytes(key);
        RlpWriter fields;
        fields.bytes(entry.address).list(keys);
        entries.list(fields);
    }
    writer.list(entries);
}

// The fields in their order, up to those of the signature.
RlpWriter fields_of(const Transaction& transaction) {
    RlpWriter fields;
    if (transaction.type != TransactionType::legacy) fields.number(*transaction.chain_id);
    fields.number(transaction.nonce);
    if (transaction.type == TransactionType::dynamic_fee)
        fields.number(transaction.max_priority_fee_per_gas);
    fields.number(transaction.max_fee_per_gas).number(transaction.gas_limit);
    fields.bytes(transaction.to ? ByteView(*transaction.to) : ByteView());
    fields.number(transaction.value).bytes(transaction.data);
    if (transaction.type != TransactionType::legacy)
        write_access_list(fields, transaction.access_list);
    return fields;
}

Bytes with_type(TransactionType type, const RlpWriter& fields) {
    Bytes out = fields.as_list();
    if (type != TransactionType::legacy) out.insert(out.begin(), static_cast<uint8_t>(type));
    return out;
}

// r, s and which of two keys, as the fields of the signature have them.
struct Signature {
    U256 r;
    U256 s;
    bool odd = false;
};

Result<U256> signature_v(const Transaction& transaction, bool odd) {
    const uint64_t parity = odd ? 1 : 0;
    if (transaction.type != TransactionType::legacy) return U256(parity);
    if (!transaction.chain_id) return U256(v_plain + parity);
    TT_TRY(const U256 doubled, U256(*transaction.chain_id).times(2));
    return doubled.plus(v_of_chain_zero + parity);
}

Result<std::optional<Address>> read_to(RlpReader& fields) {
    TT_TRY(const ByteView bytes, fields.bytes());
    if (bytes.empty()) return std::optional<Address>();
    Address to;
    if (bytes.size() != to.size()) {
        return malformed("to: have " + std::to_string(bytes.size()) + " bytes, need 0 or 20");
    }
    std::copy(bytes.begin(), bytes.end(), to.begin());
    return std::optional<Address>(to);
}

Result<std::vector<AccessListEntry>> read_access_list(RlpReader& fields) {
    TT_TRY(RlpReader entries, fields.list());
    std::vector<AccessListEntry> out;
    while (!entries.at_end()) {
        TT_TRY(RlpReader entry, entries.list());
        AccessListEntry& read = out.emplace_back();
        TT_TRY(read.address, entry.array<20>());
        TT_TRY(RlpReader keys, entry.list());
        TT_CHECK(entry.ensure_end());
        while (!keys.at_end()) {
            TT_TRY(const Digest key, keys.array<32>());
            read.storage_keys.push_back(key);
        }
    }
    return out;
}

Result<Transaction> read_fields(TransactionType type, RlpReader& fields) {
    Transaction out{.type = type};
    if (type != TransactionType::legacy) {
        TT_TRY(out.chain_id, fields.number_u64());
    }
    TT_TRY(out.nonce, fields.number_u64());
    if (type == TransactionType::dynamic_fee) {
        TT_TRY(out.max_priority_fee_per_gas, fields.number());
    }
    TT_TRY(out.max_fee_per_gas, fields.number());
    if (type != TransactionType::dynamic_fee) out.max_priority_fee_per_gas = out.max_fee_per_gas;
    TT_TRY(out.gas_limit, fields.number_u64());
    TT_TRY(out.to, read_to(fields));
    TT_TRY(out.value, fields.number());
    TT_TRY(const ByteView data, fields.bytes());
    out.data.assign(data.begin(), data.end());
    if (type != TransactionType::legacy) {
        TT_TRY(out.access_list, read_access_list(fields));
    }
    return out;
}

// Puts the chain id that stands in a legacy v into the transaction.
Result<bool> take_v(Transaction& transaction, const U256& v) {
    if (transaction.type != TransactionType::legacy) {
        if (v > U256(1)) return malformed("parity: have " + v.to_decimal() + ", need 0 or 1");
        return v == U256(1);
    }
    if (v == U256(v_plain) || v == U256(v_plain + 1)) return v == U256(v_plain + 1);
    if (v < U256(v_of_chain_zero)) {
        return malformed("v: have " + v.to_decimal() + ", need 27, 28 or from 35 on");
    }
    TT_TRY(const U256 above, v.minus(v_of_chain_zero));
    TT_TRY(const auto halves, above.divided_by(2));
    transaction.chain_id = halves.quotient.to_u64();
    if (!transaction.chain_id) return malformed("v: the chain id has more than 8 bytes");
    return !halves.remainder.is_zero();
}

Result<Address> recover_sender(const Transaction& transaction, const Signature& signature) {
    crypto::RecoverableSignature bytes;
    const Word r = signature.r.to_word();
    const Word s = signature.s.to_word();
    std::copy(r.begin(), r.end(), bytes.begin());
    std::copy(s.begin(), s.end(), bytes.begin() + 32);
    bytes[64] = static_cast<uint8_t>(v_plain + (signature.odd ? 1 : 0));
    return crypto::recover_address(crypto::keccak256(signing_bytes(transaction)), bytes);
}

Result<TransactionType> type_of(ByteView raw) {
    if (raw.empty()) return malformed("no bytes");
    if (raw[0] >= list_first_byte) return TransactionType::legacy;
    if (raw[0] == 1 || raw[0] == 2) return static_cast<TransactionType>(raw[0]);
    return fail(ErrorCode::unsupported,
                "transaction: type " + std::to_string(raw[0]) + " is not known here");
}

Result<SignedTransaction> decode_fields(TransactionType type, ByteView raw) {
    RlpReader outer(type == TransactionType::legacy ? raw : raw.subspan(1));
    TT_TRY(RlpReader fields, outer.list());
    TT_CHECK(outer.ensure_end());
    SignedTransaction out{.transaction = {}, .raw = Bytes(raw.begin(), raw.end())};
    TT_TRY(out.transaction, read_fields(type, fields));
    TT_TRY(const U256 v, fields.number());
    Signature signature;
    TT_TRY(signature.r, fields.number());
    TT_TRY(signature.s, fields.number());
    TT_CHECK(fields.ensure_end());
    TT_TRY(signature.odd, take_v(out.transaction, v));
    TT_TRY(out.sender, recover_sender(out.transaction, signature));
    out.hash = crypto::keccak256(raw);
    return out;
}

}  // namespace

Bytes signing_bytes(const Transaction& transaction) {
    RlpWriter fields = fields_of(transaction);
    if (transaction.type == TransactionType::legacy && transaction.chain_id)
        fields.number(*transaction.chain_id).number(0).number(0);
    return with_type(transaction.type, fields);
}

Result<SignedTransaction> sign_transaction(const Transaction& transaction,
                                           const crypto::SecpKey& key) {
    TT_CHECK(ensure_encodable(transaction));
    const auto bytes = key.sign_recoverable(crypto::keccak256(signing_bytes(transaction)));
    TT_TRY(const U256 v, signature_v(transaction, bytes[64] != v_plain));
    TT_TRY(const U256 r, U256::from_bytes(ByteView(bytes).first(32)));
    TT_TRY(const U256 s, U256::from_bytes(ByteView(bytes).subspan(32, 32)));
    RlpWriter fields = fields_of(transaction);
    fields.number(v).number(r).number(s);
    SignedTransaction out{.transaction = transaction,
                          .sender = key.address(),
                          .raw = with_type(transaction.type, fields)};
    out.hash = crypto::keccak256(out.raw);
    return out;
}

Result<SignedTransaction> decode_transaction(ByteView raw) {
    if (raw.size() > transaction_bytes_max) {
        return malformed("have " + std::to_string(raw.size()) + " bytes, need at most " +
                         std::to_string(transaction_bytes_max));
    }
    TT_TRY(const TransactionType type, type_of(raw));
    auto decoded = decode_fields(type, raw);
    if (!decoded && decoded.error().code == ErrorCode::rlp_malformed)
        return malformed(decoded.error().detail);
    return decoded;
}

uint64_t intrinsic_gas(const Transaction& transaction) {
    constexpr uint64_t any_transaction = 21'000;
    constexpr uint64_t deployment = 32'000;
    constexpr uint64_t init_code_word = 2;
    constexpr uint64_t zero_byte = 4;
    constexpr uint64_t other_byte = 16;
    constexpr uint64_t listed_address = 2'400;
    constexpr uint64_t listed_key = 1'900;
    const uint64_t data_bytes = transaction.data.size();
    const auto zero_bytes = static_cast<uint64_t>(
        std::count(transaction.data.begin(), transaction.data.end(), uint8_t{0}));
    uint64_t gas =
        any_transaction + zero_byte * zero_bytes + other_byte * (data_bytes - zero_bytes);
    if (!transaction.to) gas += deployment + init_code_word * ((data_bytes + 31) / 32);
    for (const AccessListEntry& entry : transaction.access_list)
        gas += listed_address + listed_key * entry.storage_keys.size();
    return gas;
}

Result<U256> cost_max(const Transaction& transaction) {
    TT_TRY(const U256 gas_cost, transaction.max_fee_per_gas.times(transaction.gas_limit));
    return gas_cost.plus(transaction.value);
}

Result<void> ensure_sendable(const Transaction& transaction, uint64_t chain_id) {
    if (transaction.chain_id && transaction.chain_id != chain_id) {
        return malformed("chain id: have " + std::to_string(*transaction.chain_id) + ", need " +
                         std::to_string(chain_id));
    }
    // EIP-2681.
    if (transaction.nonce == UINT64_MAX) return malformed("nonce: above 2^64 - 2");
    if (transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas)
        return malformed("the priority fee is above the fee");
    if (!transaction.max_fee_per_gas.times(transaction.gas_limit))
        return malformed("the gas costs more than there is");
    if (!transaction.to && transaction.data.size() > init_code_bytes_max) {
        return malformed("init code: have " + std::to_string(transaction.data.size()) +
                         " bytes, need at most " + std::to_string(init_code_bytes_max));
    }
    const uint64_t gas_needed = intrinsic_gas(transaction);
    if (transaction.gas_limit < gas_needed) {
        return malformed("gas limit: have " + std::to_string(transaction.gas_limit) +
                         ", need at least " + std::to_string(gas_needed));
    }
    return {};
}

}  // namespace teetee::chain
