// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "chain/keystore.hpp"

namespace teetee::cli {

/// Whose wallet: a keystore file and where its password comes from (a file, the variable
/// TEETEE_KEYSTORE_PASSWORD, the terminal), or a bare key in the variable TEETEE_KEY. Keys and
/// passwords never come by the command line, which other users of the machine can read.
struct WalletOption {
    std::string keystore;
    std::string password_file;

    void add_to(CLI::App& command);

    /// Errors: invalid_argument when there is none, or the key is no key; those of reading the file
    /// and of chain::open_keystore.
    Result<crypto::SecpKey> open() const;
    /// The account, without its key where the keystore says whose it is.
    Result<crypto::Address> address() const;
    /// For a new keystore, on a terminal twice.
    Result<crypto::SecretBytes> new_password() const;

  private:
    Result<crypto::SecretBytes> password(const std::string& question) const;
    Result<std::optional<crypto::SecretBytes>> given_password() const;
};

/// The bare key in TEETEE_KEY, 32 bytes in hex. nullopt without the variable.
/// Error: invalid_argument, which does not quote it.
Result<std::optional<crypto::Secret<32>>> key_from_environment();

/// An address that a flag or argument names. Error: invalid_argument.
Result<crypto::Address> parse_account(std::string_view text, std::string_view flag);

/// --account ADDRESS: whose affairs are shown.
struct AccountOption {
    std::string account;

    void add_to(CLI::App& command);
    /// The account, or else the wallet's.
    Result<crypto::Address> resolve(const WalletOption& wallet) const;
};

}  // namespace teetee::cli
