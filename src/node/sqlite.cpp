// SPDX-License-Identifier: Apache-2.0
#include "node/sqlite.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

namespace teetee::node {

void Sqlite::Close::operator()(sqlite3* database) const {
    sqlite3_close_v2(database);
}

void SqliteQuery::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

Error Sqlite::error(std::string_view doing) const {
    return fail(ErrorCode::ledger_failed,
                std::string(doing) + ": " + sqlite3_errmsg(database_.get()));
}

Result<Sqlite> Sqlite::open(const std::string& path) {
    // SQLite would make it readable for others, and its companions have the file's mode.
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return fail(ErrorCode::ledger_failed, path + ": " + std::strerror(errno));
    ::close(descriptor);
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(
        path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
        nullptr);
    Sqlite out(raw);
    if (code != SQLITE_OK) return out.error(path);
    sqlite3_extended_result_codes(raw, 1);
    // Foreign bytes: nothing in a file is trusted to be code.
    sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    auto set_up = out.run(
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
        "PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON; BEGIN EXCLUSIVE; COMMIT;");
    if (!set_up) return in_context(path, std::move(set_up).error());
    return out;
}

Result<void> Sqlite::run(std::string_view statements) {
    const std::string text(statements);
    if (sqlite3_exec(database_.get(), text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return error("ledger");
    return {};
}

Result<SqliteQuery> Sqlite::query(std::string_view statement) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(database_.get(), statement.data(), static_cast<int>(statement.size()),
                           &raw, nullptr) != SQLITE_OK)
        return error("ledger");
    return SqliteQuery(*this, raw);
}

uint64_t Sqlite::last_row_id() const {
    return static_cast<uint64_t>(sqlite3_last_insert_rowid(database_.get()));
}

int Sqlite::changes() const {
    return sqlite3_changes(database_.get());
}

SqliteQuery& SqliteQuery::bind(uint64_t value) {
    failed_ |=
        sqlite3_bind_int64(statement_.get(), ++bound_, static_cast<int64_t>(value)) != SQLITE_OK;
    return *this;
}

SqliteQuery& SqliteQuery::bind(ByteView value) {
    // An empty blob is none, not NULL.
    const void* data = value.empty() ? static_cast<const void*>("") : value.data();
    failed_ |= sqlite3_bind_blob64(statement_.get(), ++bound_, data, value.size(),
                                   SQLITE_TRANSIENT) != SQLITE_OK;
    return *this;
}

Result<bool> SqliteQuery::next() {
    if (failed_) return database_->error("ledger");
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return database_->error("ledger");
}

Result<void> SqliteQuery::finish() {
    TT_TRY(const bool has_row, next());
    return has_row ? Result<void>(fail(ErrorCode::ledger_failed, "a row where none should be"))
                   : Result<void>();
}

uint64_t SqliteQuery::integer(int column) const {
    return static_cast<uint64_t>(sqlite3_column_int64(statement_.get(), column));
}

Bytes SqliteQuery::bytes(int column) const {
    const auto* data = static_cast<const uint8_t*>(sqlite3_column_blob(statement_.get(), column));
    const int count = sqlite3_column_bytes(statement_.get(), column);
    return data == nullptr ? Bytes{} : Bytes(data, data + count);
}

Error SqliteQuery::wrong_length(size_t have, size_t need) {
    return fail(ErrorCode::ledger_failed,
                "a column has " + std::to_string(have) + " bytes, needs " + std::to_string(need));
}

Result<SqliteTransaction> SqliteTransaction::begin(Sqlite& database) {
    TT_CHECK(database.run("BEGIN IMMEDIATE"));
    return SqliteTransaction(database);
}

SqliteTransaction::~SqliteTransaction() {
    if (database_ != nullptr) static_cast<void>(database_->run("ROLLBACK"));
}

Result<void> SqliteTransaction::commit() {
    TT_CHECK(database_->run("COMMIT"));
    database_ = nullptr;
    return {};
}

}  // namespace teetee::node
