// SPDX-License-Identifier: Apache-2.0
#include "node/ledger_file.hpp"

#include <algorithm>

namespace teetee::node {
namespace {

using billing::Charge;
using billing::ChargePlace;
using billing::ChargeState;
using billing::SettlementRecord;
using billing::SettlementStage;
using billing::SpendAccount;

constexpr uint64_t schema_version = 2;

constexpr std::string_view schema = R"(
CREATE TABLE owner (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    chain_id INTEGER NOT NULL, contract BLOB NOT NULL, pool INTEGER NOT NULL, entry BLOB NOT NULL
) STRICT;
CREATE TABLE accounts (
    voucher BLOB PRIMARY KEY, signed_amount INTEGER NOT NULL, signature BLOB NOT NULL,
    charged INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- state 2: settled, 3: dissolved, else it is open: see SettlementStage.
CREATE TABLE settlements (
    id INTEGER PRIMARY KEY AUTOINCREMENT, entry_node INTEGER NOT NULL, receipts_root BLOB NOT NULL,
    call BLOB NOT NULL, begun_at INTEGER NOT NULL, attempt INTEGER NOT NULL, state INTEGER NOT NULL
) STRICT;
-- A charge is of a voucher (32 bytes) or, where that is empty, of a query. `settlement` is the one
-- that it is in, or was settled by.
CREATE TABLE charges (
    number INTEGER PRIMARY KEY AUTOINCREMENT, request BLOB NOT NULL UNIQUE, voucher BLOB NOT NULL,
    query INTEGER NOT NULL, amount INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL, receipt BLOB NOT NULL, nodes BLOB NOT NULL,
    charged_at INTEGER NOT NULL, state INTEGER NOT NULL,
    settlement INTEGER REFERENCES settlements (id)
) STRICT;
-- By the number of their charge. Up to a megabyte each, so they are no part of rows that change.
CREATE TABLE receipts (charge INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
-- All that were ever put into a settlement, for the contract may have one that was dissolved.
CREATE TABLE leaves (
    settlement INTEGER NOT NULL, leaf INTEGER NOT NULL, charge INTEGER NOT NULL,
    PRIMARY KEY (settlement, leaf)
) STRICT, WITHOUT ROWID;
CREATE INDEX settlements_by_state ON settlements (state, begun_at);
CREATE INDEX charges_by_state ON charges (state, number);
CREATE INDEX charges_by_settlement ON charges (settlement);
CREATE UNIQUE INDEX charges_by_query ON charges (query) WHERE query != 0;
)";

constexpr std::string_view charge_columns =
    "request, voucher, query, amount, prompt_tokens, completion_tokens, receipt, nodes, charged_at";

/// Of settlements that are not open.
constexpr uint64_t settled_state = 2;
constexpr uint64_t dissolved_state = 3;

constexpr std::string_view account_columns = "voucher, signed_amount, signature, charged";

constexpr std::string_view settlement_columns =
    "id, entry_node, receipts_root, call, begun_at, attempt, state";

/// In the same places.
constexpr std::string_view settlement_columns_but_call =
    "id, entry_node, receipts_root, x'', begun_at, attempt, state";

constexpr std::string_view is_open = "state IN (1, 4, 5)";

Result<Charge> read_charge(const SqliteQuery& row) {
    Charge out;
    TT_TRY(out.request.bytes, row.array<16>(0));
    out.query = row.integer(2);
    if (out.query == 0) {
        TT_TRY(out.voucher, row.array<32>(1));
    }
    out.amount = row.integer(3);
    out.prompt_tokens = row.integer(4);
    out.completion_tokens = row.integer(5);
    TT_TRY(out.receipt, row.array<32>(6));
    const Bytes nodes = row.bytes(7);
    if (nodes.size() % 20 != 0) return fail(ErrorCode::ledger_failed, "nodes of a charge are cut");
    for (size_t i = 0; i < nodes.size(); i += 20)
        std::copy_n(nodes.begin() + static_cast<ptrdiff_t>(i), 20,
                    out.nodes.emplace_back().begin());
    out.charged_at = static_cast<UnixSeconds>(row.integer(8));
    return out;
}

Result<std::vector<Charge>> read_charges(SqliteQuery& row) {
    std::vector<Charge> out;
    for (;;) {
        TT_TRY(const bool found, row.next());
        if (!found) return out;
        TT_TRY(auto charge, read_charge(row));
        out.push_back(std::move(charge));
    }
}

Result<std::vector<SettlementRecord>> read_settlements(SqliteQuery& row) {
    std::vector<SettlementRecord> out;
    for (;;) {
        TT_TRY(const bool found, row.next());
        if (!found) return out;
        const uint64_t state = row.integer(6);
        SettlementRecord record = {.id = row.integer(0),
                                   .entry_node = row.integer(1),
                                   .stage = state == settled_state || state == dissolved_state
                                                ? SettlementStage::whole
                                                : static_cast<SettlementStage>(state),
                                   .call = row.bytes(3),
                                   .begun_at = static_cast<UnixSeconds>(row.integer(4)),
                                   .attempt = row.integer(5)};
        TT_TRY(record.receipts_root, row.array<32>(2));
        out.push_back(std::move(record));
    }
}

Result<SpendAccount> read_account(const SqliteQuery& row) {
    SpendAccount out;
    TT_TRY(out.signed_spend.voucher, row.array<32>(0));
    out.signed_spend.amount = row.integer(1);
    TT_TRY(out.signed_spend.signature, row.array<65>(2));
    out.charged = row.integer(3);
    return out;
}

uint64_t number(ChargeState state) {
    return static_cast<uint64_t>(state);
}

}  // namespace

Result<std::unique_ptr<LedgerFile>> LedgerFile::open(const std::string& path, const Owner& owner,
                                                     const crypto::Secret<32>& key, Rng& rng) {
    TT_TRY(auto database, Sqlite::open(path));
    TT_TRY(auto aead, crypto::AeadKey::from_bytes(crypto::AeadAlgorithm::aes_256_gcm, key.view()));
    std::unique_ptr<LedgerFile> out(new LedgerFile(std::move(database), std::move(aead), rng));
    if (auto prepared = out->prepare(owner); !prepared)
        return in_context(path, std::move(prepared).error());
    return out;
}

Result<void> LedgerFile::prepare(const Owner& owner) {
    TT_TRY(auto version, database_.query("PRAGMA user_version"));
    TT_CHECK(version.next());
    const uint64_t have = version.integer(0);
    TT_CHECK(version.next());
    if (have != 0 && have != schema_version) {
        return fail(ErrorCode::ledger_failed, "have version " + std::to_string(have) + ", need " +
                                                  std::to_string(schema_version));
    }
    const auto& [deployment, pool, entry] = owner;
    if (have == 0) {
        TT_TRY(auto transaction, SqliteTransaction::begin(database_));
        TT_CHECK(database_.run(schema));
        TT_TRY(auto insert, database_.query("INSERT INTO owner VALUES (1, ?, ?, ?, ?)"));
        insert.bind(deployment.chain_id).bind(deployment.contract).bind(pool).bind(entry);
        TT_CHECK(insert.finish());
        TT_CHECK(database_.run("PRAGMA user_version = " + std::to_string(schema_version)));
        return transaction.commit();
    }
    TT_TRY(auto kept, database_.query("SELECT chain_id, contract, pool, entry FROM owner"));
    TT_TRY(const bool found, kept.next());
    if (!found || kept.integer(0) != deployment.chain_id || kept.integer(2) != pool ||
        kept.bytes(1) != Bytes(deployment.contract.begin(), deployment.contract.end()) ||
        kept.bytes(3) != Bytes(entry.begin(), entry.end())) {
        return fail(ErrorCode::config_invalid,
                    "the ledger is of another contract, pool or receipt key: keep it where that "
                    "node finds it until all is settled, and give this one another folder");
    }
    return {};
}

Result<std::vector<SpendAccount>> LedgerFile::accounts() {
    TT_TRY(auto row, database_.query("SELECT " + std::string(account_columns) + " FROM accounts"));
    std::vector<SpendAccount> out;
    for (;;) {
        TT_TRY(const bool found, row.next());
        if (!found) return out;
        TT_TRY(auto account, read_account(row));
        out.push_back(std::move(account));
    }
}

Result<std::optional<SpendAccount>> LedgerFile::account(const Digest& voucher) {
    TT_TRY(auto row, database_.query("SELECT " + std::string(account_columns) +
                                     " FROM accounts WHERE voucher = ?"));
    row.bind(voucher);
    TT_TRY(const bool found, row.next());
    if (!found) return std::optional<SpendAccount>();
    TT_TRY(auto account, read_account(row));
    return std::optional(std::move(account));
}

Result<std::vector<uint64_t>> LedgerFile::queries() {
    TT_TRY(auto row, database_.query("SELECT query FROM charges WHERE query != 0"));
    std::vector<uint64_t> out;
    for (;;) {
        TT_TRY(const bool found, row.next());
        if (!found) return out;
        out.push_back(row.integer(0));
    }
}

Result<Bytes> LedgerFile::seal(const RequestId& request, ByteView receipt) {
    crypto::AeadNonce nonce;
    rng_.fill(nonce);
    TT_TRY(const Bytes sealed, key_.seal({.nonce = nonce, .aad = request.bytes, .text = receipt}));
    Bytes out(nonce.begin(), nonce.end());
    out.insert(out.end(), sealed.begin(), sealed.end());
    return out;
}

Result<void> LedgerFile::keep(const Charge& charge, const SpendAccount* account, ByteView receipt) {
    TT_TRY(const Bytes sealed, seal(charge.request, receipt));
    Bytes nodes;
    for (const crypto::Address& node : charge.nodes)
        nodes.insert(nodes.end(), node.begin(), node.end());
    TT_TRY(auto transaction, SqliteTransaction::begin(database_));
    TT_TRY(auto insert, database_.query("INSERT INTO charges (" + std::string(charge_columns) +
                                        ", state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"));
    insert.bind(charge.request.bytes)
        .bind(charge.query == 0 ? ByteView(charge.voucher) : ByteView())
        .bind(charge.query)
        .bind(charge.amount)
        .bind(charge.prompt_tokens)
        .bind(charge.completion_tokens)
        .bind(charge.receipt)
        .bind(nodes)
        .bind(static_cast<uint64_t>(charge.charged_at));
    TT_CHECK(insert.finish());
    const uint64_t charge_number = database_.last_row_id();
    TT_TRY(auto keep_receipt, database_.query("INSERT INTO receipts VALUES (?, ?)"));
    keep_receipt.bind(charge_number).bind(sealed);
    TT_CHECK(keep_receipt.finish());
    if (account != nullptr) {
        TT_TRY(auto update, database_.query("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)"));
        update.bind(account->signed_spend.voucher)
            .bind(account->signed_spend.amount)
            .bind(account->signed_spend.signature)
            .bind(account->charged);
        TT_CHECK(update.finish());
    }
    return transaction.commit();
}

Result<std::vector<Charge>> LedgerFile::unsettled(size_t count_max,
                                                  const std::optional<RequestId>& after) {
    TT_TRY(auto row, database_.query("SELECT " + std::string(charge_columns) +
                                     " FROM charges WHERE state = 0 AND number > COALESCE("
                                     "(SELECT number FROM charges WHERE request = ?), 0) "
                                     "ORDER BY number LIMIT ?"));
    row.bind(after ? ByteView(after->bytes) : ByteView()).bind(count_max);
    return read_charges(row);
}

Result<Bytes> LedgerFile::receipt(const RequestId& request) {
    TT_TRY(auto row, database_.query("SELECT sealed FROM receipts WHERE charge = "
                                     "(SELECT number FROM charges WHERE request = ?)"));
    row.bind(request.bytes);
    TT_TRY(const bool found, row.next());
    if (!found) return Bytes{};
    const Bytes sealed = row.bytes(0);
    if (sealed.empty()) return Bytes{};
    crypto::AeadNonce nonce{};
    if (sealed.size() < nonce.size())
        return fail(ErrorCode::ledger_failed, "a sealed receipt is cut");
    std::copy_n(sealed.begin(), nonce.size(), nonce.begin());
    TT_TRY(const auto text, key_.open({.nonce = nonce,
                                       .aad = request.bytes,
                                       .text = ByteView(sealed).subspan(nonce.size())}));
    return Bytes(text.begin(), text.end());
}

Result<std::optional<ChargePlace>> LedgerFile::place_of(const RequestId& request) {
    TT_TRY(auto row, database_.query("SELECT " + std::string(charge_columns) +
                                     ", state, settlement FROM charges WHERE request = ?"));
    row.bind(request.bytes);
    TT_TRY(const bool found, row.next());
    if (!found) return std::optional<ChargePlace>();
    ChargePlace out;
    TT_TRY(out.charge, read_charge(row));
    out.state = static_cast<ChargeState>(std::min<uint64_t>(row.integer(9), 3));
    if (out.state != ChargeState::settling && out.state != ChargeState::settled)
        return std::optional(std::move(out));
    const uint64_t settlement = row.integer(10);
    TT_TRY(auto whole,
           database_.query("SELECT entry_node, receipts_root FROM settlements WHERE id = ?"));
    whole.bind(settlement);
    TT_CHECK(whole.next());
    out.entry_node = whole.integer(0);
    TT_TRY(out.receipts_root, whole.array<32>(1));
    TT_TRY(auto leaves,
           database_.query("SELECT receipt FROM leaves JOIN charges ON number = charge "
                           "WHERE leaves.settlement = ? ORDER BY leaf"));
    leaves.bind(settlement);
    for (;;) {
        TT_TRY(const bool has_leaf, leaves.next());
        if (!has_leaf) return std::optional(std::move(out));
        TT_TRY(const auto leaf, leaves.array<32>(0));
        out.receipts.push_back(leaf);
    }
}

Result<billing::LedgerTotals> LedgerFile::totals() {
    TT_TRY(auto row,
           database_.query("SELECT state, COUNT(*), SUM(amount) FROM charges GROUP BY state"));
    billing::LedgerTotals out;
    billing::Credits* const sums[] = {&out.unsettled, &out.settling, &out.settled, &out.given_up};
    for (;;) {
        TT_TRY(const bool found, row.next());
        if (!found) return out;
        out.charges += row.integer(1);
        *sums[std::min<uint64_t>(row.integer(0), 3)] += row.integer(2);
    }
}

Result<uint64_t> LedgerFile::begin_settlement(const SettlementRecord& record,
                                              std::span<const Charge> charges) {
    TT_TRY(auto transaction, SqliteTransaction::begin(database_));
    TT_TRY(auto insert,
           database_.query("INSERT INTO settlements (entry_node, receipts_root, call, begun_at, "
                           "attempt, state) VALUES (?, ?, ?, ?, ?, ?)"));
    insert.bind(record.entry_node)
        .bind(record.receipts_root)
        .bind(record.call)
        .bind(static_cast<uint64_t>(record.begun_at))
        .bind(record.attempt)
        .bind(static_cast<uint64_t>(record.stage));
    TT_CHECK(insert.finish());
    const uint64_t id = database_.last_row_id();
    uint64_t leaf = 0;
    for (const Charge& charge : charges) {
        TT_TRY(auto update, database_.query("UPDATE charges SET state = 1, settlement = ? "
                                            "WHERE request = ? AND state = 0"));
        update.bind(id).bind(charge.request.bytes);
        TT_CHECK(update.finish());
        if (database_.changes() != 1)
            return fail(ErrorCode::ledger_failed, "a charge is not there to be settled");
        TT_TRY(auto put, database_.query("INSERT INTO leaves SELECT ?, ?, number FROM charges "
                                         "WHERE request = ?"));
        put.bind(id).bind(leaf++).bind(charge.request.bytes);
        TT_CHECK(put.finish());
    }
    TT_CHECK(transaction.commit());
    return id;
}

Result<std::vector<SettlementRecord>> LedgerFile::open_settlements() {
    TT_TRY(auto row,
           database_.query("SELECT " + std::string(settlement_columns) +
                           " FROM settlements WHERE " + std::string(is_open) + " ORDER BY id"));
    return read_settlements(row);
}

Result<std::vector<SettlementRecord>> LedgerFile::dissolved_settlements() {
    TT_TRY(auto row, database_.query("SELECT " + std::string(settlement_columns_but_call) +
                                     " FROM settlements WHERE state = ? AND EXISTS ("
                                     "SELECT 1 FROM leaves JOIN charges ON number = charge "
                                     "WHERE leaves.settlement = id AND charges.state != ?) "
                                     "ORDER BY id"));
    row.bind(dissolved_state).bind(number(ChargeState::settled));
    return read_settlements(row);
}

Result<std::vector<SettlementRecord>> LedgerFile::settled_settlements(UnixSeconds since) {
    TT_TRY(auto row,
           database_.query("SELECT " + std::string(settlement_columns_but_call) +
                           " FROM settlements WHERE state = ? AND begun_at >= ? ORDER BY id"));
    row.bind(settled_state).bind(static_cast<uint64_t>(std::max<UnixSeconds>(since, 0)));
    return read_settlements(row);
}

Result<void> LedgerFile::update_settlement(const SettlementRecord& record) {
    TT_TRY(auto update, database_.query("UPDATE settlements SET state = ?, call = ?, begun_at = ?, "
                                        "attempt = ? WHERE id = ? AND " +
                                        std::string(is_open)));
    update.bind(static_cast<uint64_t>(record.stage))
        .bind(record.call)
        .bind(static_cast<uint64_t>(record.begun_at))
        .bind(record.attempt)
        .bind(record.id);
    TT_CHECK(update.finish());
    if (database_.changes() == 1) return {};
    return fail(ErrorCode::ledger_failed, "the settlement is not on its way");
}

Result<std::vector<Charge>> LedgerFile::charges_of(uint64_t settlement) {
    TT_TRY(auto row, database_.query("SELECT " + std::string(charge_columns) +
                                     " FROM leaves JOIN charges ON number = charge "
                                     "WHERE leaves.settlement = ? ORDER BY leaf"));
    row.bind(settlement);
    return read_charges(row);
}

Result<void> LedgerFile::set_settlement_state(uint64_t settlement, uint64_t to,
                                              std::string_view where) {
    TT_TRY(auto update, database_.query("UPDATE settlements SET state = ? WHERE id = ? AND " +
                                        std::string(where)));
    update.bind(to).bind(settlement);
    TT_CHECK(update.finish());
    if (database_.changes() == 1) return {};
    return fail(ErrorCode::ledger_failed, "the settlement is in another state");
}

Result<void> LedgerFile::end_settlement(uint64_t settlement) {
    TT_TRY(auto transaction, SqliteTransaction::begin(database_));
    TT_CHECK(set_settlement_state(settlement, settled_state, "state != 2"));
    TT_TRY(auto charges,
           database_.query("UPDATE charges SET state = ?, settlement = ? WHERE number "
                           "IN (SELECT charge FROM leaves WHERE settlement = ?)"));
    charges.bind(number(ChargeState::settled)).bind(settlement).bind(settlement);
    TT_CHECK(charges.finish());
    TT_CHECK(transaction.commit());
    // What fails here is tried again with the next one.
    static_cast<void>(forget_receipts());
    return {};
}

/// They are all but a few bytes of the file. The time is that of the newest charge: where there are
/// none, nothing grows.
Result<void> LedgerFile::forget_receipts() {
    TT_TRY(auto newest,
           database_.query("SELECT charged_at FROM charges ORDER BY number DESC LIMIT 1"));
    TT_TRY(const bool found, newest.next());
    const uint64_t time = found ? newest.integer(0) : 0;
    if (time < static_cast<uint64_t>(receipts_kept_s)) return {};
    const uint64_t before = time - static_cast<uint64_t>(receipts_kept_s);
    // Once an hour of the charges' time: it looks at all of them.
    if (before < forgotten_before_ + 3600) return {};
    TT_TRY(auto forget,
           database_.query("DELETE FROM receipts WHERE charge IN (SELECT number FROM charges WHERE "
                           "state IN (2, 3) AND charged_at < ?)"));
    forget.bind(before);
    TT_CHECK(forget.finish());
    forgotten_before_ = before;
    return {};
}

Result<void> LedgerFile::dissolve_settlement(uint64_t settlement) {
    TT_TRY(auto transaction, SqliteTransaction::begin(database_));
    TT_CHECK(set_settlement_state(settlement, dissolved_state, is_open));
    TT_TRY(auto charges, database_.query("UPDATE charges SET state = ?, settlement = NULL "
                                         "WHERE settlement = ? AND state = ?"));
    charges.bind(number(ChargeState::unsettled))
        .bind(settlement)
        .bind(number(ChargeState::settling));
    TT_CHECK(charges.finish());
    return transaction.commit();
}

Result<SettlementRecord> LedgerFile::reopen_settlement(uint64_t settlement) {
    TT_TRY(auto transaction, SqliteTransaction::begin(database_));
    TT_CHECK(set_settlement_state(settlement, static_cast<uint64_t>(SettlementStage::whole),
                                  "state = 2"));
    TT_TRY(auto attempt,
           database_.query("UPDATE settlements SET attempt = attempt + 1 WHERE id = ?"));
    attempt.bind(settlement);
    TT_CHECK(attempt.finish());
    TT_TRY(auto charges,
           database_.query("UPDATE charges SET state = ? WHERE settlement = ? AND state = ?"));
    charges.bind(number(ChargeState::settling)).bind(settlement).bind(number(ChargeState::settled));
    TT_CHECK(charges.finish());
    TT_TRY(auto row, database_.query("SELECT " + std::string(settlement_columns) +
                                     " FROM settlements WHERE id = ?"));
    row.bind(settlement);
    TT_TRY(auto records, read_settlements(row));
    TT_CHECK(transaction.commit());
    return std::move(records.at(0));
}

Result<void> LedgerFile::give_up(const RequestId& request) {
    TT_TRY(auto update, database_.query("UPDATE charges SET state = ? WHERE request = ? "
                                        "AND state = 0"));
    update.bind(number(ChargeState::given_up)).bind(request.bytes);
    return update.finish();
}

}  // namespace teetee::node
