// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "billing/ledger.hpp"
#include "crypto/aead.hpp"
#include "crypto/secret.hpp"
#include "node/sqlite.hpp"

namespace teetee::node {

/// Receipts are kept for so long after they were charged, and until they are settled or given up.
inline constexpr UnixSeconds receipts_kept_s = 90 * 86400;

/// An entry's ledger in a SQLite file. Receipts are encrypted in it, for they hold prompts; what
/// the contract will say in public anyway (vouchers, sums, tokens, nodes) is not.
class LedgerFile final : public billing::LedgerStore {
  public:
    struct Owner {
        chain::Deployment deployment{};
        uint64_t pool = 0;
        /// Receipt key of the entry.
        crypto::Address entry{};
    };

    /// `key` is of the TEE, for receipts alone; `rng` MUST outlive it. Errors: ledger_failed, also
    /// for a file of another version; config_invalid for one of another owner.
    static Result<std::unique_ptr<LedgerFile>> open(const std::string& path, const Owner& owner,
                                                    const crypto::Secret<32>& key, Rng& rng);

    Result<std::vector<billing::SpendAccount>> accounts() override;
    Result<std::optional<billing::SpendAccount>> account(const Digest& voucher) override;
    Result<std::vector<uint64_t>> queries() override;
    Result<void> keep(const billing::Charge& charge, const billing::SpendAccount* account,
                      ByteView receipt) override;
    Result<std::vector<billing::Charge>> unsettled(
        size_t count_max, const std::optional<RequestId>& after = {}) override;
    /// Error also: decrypt_failed for what was not sealed with this key.
    Result<Bytes> receipt(const RequestId& request) override;
    Result<std::optional<billing::ChargePlace>> place_of(const RequestId& request) override;
    Result<billing::LedgerTotals> totals() override;

    Result<uint64_t> begin_settlement(const billing::SettlementRecord& record,
                                      std::span<const billing::Charge> charges) override;
    Result<std::vector<billing::SettlementRecord>> open_settlements() override;
    Result<std::vector<billing::SettlementRecord>> dissolved_settlements() override;
    Result<std::vector<billing::SettlementRecord>> settled_settlements(UnixSeconds since) override;
    Result<void> update_settlement(const billing::SettlementRecord& record) override;
    Result<std::vector<billing::Charge>> charges_of(uint64_t settlement) override;
    Result<void> end_settlement(uint64_t settlement) override;
    Result<void> dissolve_settlement(uint64_t settlement) override;
    Result<billing::SettlementRecord> reopen_settlement(uint64_t settlement) override;
    Result<void> give_up(const RequestId& request) override;

  private:
    LedgerFile(Sqlite database, crypto::AeadKey key, Rng& rng)
        : database_(std::move(database)), key_(std::move(key)), rng_(rng) {}
    Result<void> prepare(const Owner& owner);
    Result<Bytes> seal(const RequestId& request, ByteView receipt);
    Result<void> forget_receipts();
    Result<void> set_settlement_state(uint64_t settlement, uint64_t to, std::string_view where);

    Sqlite database_;
    crypto::AeadKey key_;
    Rng& rng_;
    /// Receipts of charges before that time are forgotten, but for those of unsettled ones.
    uint64_t forgotten_before_ = 0;
};

}  // namespace teetee::node
