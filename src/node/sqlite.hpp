// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace teetee::node {

class SqliteQuery;

/// A database in a file that this process alone has open. Whatever was committed is durable, also
/// after a power cut (WAL, synchronous FULL). Errors of all: ledger_failed with what SQLite says.
class Sqlite {
  public:
    /// Creates the file, for its owner alone, if there is none. Error also: when another process
    /// has it.
    static Result<Sqlite> open(const std::string& path);

    Result<void> run(std::string_view statements);
    Result<SqliteQuery> query(std::string_view statement);
    uint64_t last_row_id() const;
    /// Rows that the last statement changed.
    int changes() const;

  private:
    struct Close {
        void operator()(sqlite3* database) const;
    };
    explicit Sqlite(sqlite3* database) : database_(database) {}
    Error error(std::string_view doing) const;

    std::unique_ptr<sqlite3, Close> database_;

    friend class SqliteQuery;
};

/// One statement: parameters are bound in their order, rows read one by one. Integers are of 64
/// bits; those that have no sign are kept as the number with the same bits.
class SqliteQuery {
  public:
    SqliteQuery& bind(uint64_t value);
    SqliteQuery& bind(ByteView value);

    /// False behind the last row.
    Result<bool> next();
    /// For statements without rows.
    Result<void> finish();

    // Of the row, by column from 0.
    uint64_t integer(int column) const;
    Bytes bytes(int column) const;
    /// Error: ledger_failed for another length.
    template <size_t n>
    Result<ByteArray<n>> array(int column) const {
        const Bytes value = bytes(column);
        if (value.size() != n) return wrong_length(value.size(), n);
        ByteArray<n> out;
        std::copy(value.begin(), value.end(), out.begin());
        return out;
    }

  private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    SqliteQuery(const Sqlite& database, sqlite3_stmt* statement)
        : database_(&database), statement_(statement) {}
    static Error wrong_length(size_t have, size_t need);

    const Sqlite* database_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    int bound_ = 0;
    bool failed_ = false;

    friend class Sqlite;
};

/// Rolls back unless it was committed.
class SqliteTransaction {
  public:
    static Result<SqliteTransaction> begin(Sqlite& database);
    SqliteTransaction(SqliteTransaction&& other) noexcept
        : database_(std::exchange(other.database_, nullptr)) {}
    ~SqliteTransaction();
    Result<void> commit();

  private:
    explicit SqliteTransaction(Sqlite& database) : database_(&database) {}
    Sqlite* database_;
};

}  // namespace teetee::node
