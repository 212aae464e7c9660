// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "attest/evidence.hpp"

namespace teetee::net {

inline constexpr char configfs_tsm_folder[] = "/sys/kernel/config/tsm/report";

/// Linux's own interface to a TDX guest's quotes, since 6.7
/// (Documentation/ABI/testing/configfs-tsm): a folder for this process, in which `inblob` takes the
/// report data and `outblob` gives the quote. `generation` counts what is written there: where
/// another has written between this process's question and its answer, it asks again.
class ConfigfsTsm final : public attest::EvidenceProvider {
  public:
    /// Makes a folder in `reports`, removed by the destructor. Error: evidence_unavailable, with
    /// what is missing.
    static Result<std::unique_ptr<ConfigfsTsm>> open(const std::string& reports);
    ~ConfigfsTsm() override;
    ConfigfsTsm(const ConfigfsTsm&) = delete;
    ConfigfsTsm& operator=(const ConfigfsTsm&) = delete;

    const std::string& folder() const { return folder_; }

    /// Error: evidence_unavailable, also for another platform than TDX.
    Result<Bytes> quote(const ByteArray<64>& report_data) override;
    /// There is none: TDX derives no keys, and nothing else here does. Error: evidence_unavailable.
    Result<crypto::Secret<32>> sealing_key(std::string_view purpose) override;
    bool simulated() const override { return false; }

  private:
    explicit ConfigfsTsm(std::string folder) : folder_(std::move(folder)) {}

    Result<void> check_provider() const;
    Result<uint64_t> generation() const;
    /// One question; nothing where another writer came between.
    Result<std::optional<Bytes>> ask(const ByteArray<64>& report_data) const;

    std::string folder_;
};

}  // namespace teetee::net
