// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/network_files.hpp"
#include "cli/wallet_option.hpp"
#include "client/host_payer.hpp"
#include "client/voucher_payer.hpp"

namespace teetee::cli {

/// What an entry is paid with, opened.
struct Payment {
    std::optional<client::PaymentSession> session{};
    /// Null where answers are free, or the host's.
    std::shared_ptr<client::VoucherPayer> voucher{};
    std::unique_ptr<crypto::SecpKey> wallet{};
    /// What the client takes; null where answers are free.
    std::shared_ptr<client::Payer> payer{};

    /// The nodes are those of the session's pool, unless flags say another.
    void complete(NetworkTerms& terms) const;
};

/// --payment FILE, --spend-max and --as-host.
struct PaymentOption {
    std::string session_path;
    uint64_t spend_max = 0;
    /// As in VoucherPayer.
    uint64_t tokens_ahead = 64;
    bool is_host = false;
    WalletOption wallet;

    /// Of a voucher.
    void add_session_to(CLI::App& command);
    /// Of a host too.
    void add_to(CLI::App& command);

    /// Without flags: with the session that `teetee up` made for its network, if that is the
    /// network and it made one. Errors: of reading; config_invalid; of WalletOption::open.
    Result<Payment> open(const NetworkFiles& files) const;
};

/// What `teetee voucher open --session FILE` wrote. Errors: of reading; config_invalid.
Result<client::PaymentSession> read_payment_session(const std::string& path);
/// For its owner alone.
Result<void> write_payment_session(const std::string& path, const client::PaymentSession& session);

}  // namespace teetee::cli
