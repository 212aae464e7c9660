// SPDX-License-Identifier: Apache-2.0
#include "cli/wallet_option.hpp"

#include <algorithm>
#include <cstdlib>

#include "chain/address.hpp"
#include "chain/limits.hpp"
#include "cli/terminal.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

constexpr const char* group = "Wallet";
constexpr size_t password_file_bytes_max = 1024;
constexpr const char* password_variable = "TEETEE_KEYSTORE_PASSWORD";
constexpr const char* key_variable = "TEETEE_KEY";

crypto::SecretBytes secret_of(std::string_view text) {
    const ByteView bytes = as_bytes(text);
    return crypto::SecretBytes(bytes.begin(), bytes.end());
}

// Editors put a line's end behind it.
Result<crypto::SecretBytes> read_password(const std::string& path) {
    TT_TRY(const Bytes text, net::read_file(path, password_file_bytes_max));
    std::string_view line = as_text(text);
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    return secret_of(line);
}

Error no_wallet() {
    return fail(ErrorCode::invalid_argument,
                "need a wallet: --keystore FILE (or TEETEE_KEYSTORE), or a key in TEETEE_KEY; "
                "teetee account new makes one");
}

}  // namespace

Result<std::optional<crypto::Secret<32>>> key_from_environment() {
    const char* text = std::getenv(key_variable);
    if (text == nullptr || *text == '\0') return std::optional<crypto::Secret<32>>();
    const auto bytes = array_from_hex<32>(text);
    if (!bytes || !crypto::SecpKey::from_bytes(*bytes))
        return fail(ErrorCode::invalid_argument, "TEETEE_KEY: need a key, 32 bytes in hex");
    return std::optional(crypto::Secret<32>(*bytes));
}

void WalletOption::add_to(CLI::App& command) {
    command
        .add_option("--keystore", keystore,
                    "Your wallet: a keystore file (version 3); without it the key in TEETEE_KEY")
        ->envname("TEETEE_KEYSTORE")
        ->group(group);
    command
        .add_option("--password-file", password_file,
                    "Its password; else that in TEETEE_KEYSTORE_PASSWORD, else you are asked")
        ->envname("TEETEE_PASSWORD_FILE")
        ->group(group);
}

Result<std::optional<crypto::SecretBytes>> WalletOption::given_password() const {
    if (!password_file.empty()) {
        TT_TRY(auto password, read_password(password_file));
        return std::optional(std::move(password));
    }
    const char* text = std::getenv(password_variable);
    if (text == nullptr) return std::optional<crypto::SecretBytes>();
    return std::optional(secret_of(text));
}

Result<crypto::SecretBytes> WalletOption::password(const std::string& question) const {
    TT_TRY(auto given, given_password());
    if (given) return std::move(*given);
    if (has_terminal()) return ask_password(question);
    return fail(ErrorCode::invalid_argument,
                "the keystore's password: need --password-file, TEETEE_KEYSTORE_PASSWORD, or a "
                "terminal to ask on");
}

Result<crypto::SecretBytes> WalletOption::new_password() const {
    TT_TRY(auto given, given_password());
    if (given && given->empty()) return fail(ErrorCode::invalid_argument, "the password is empty");
    if (given) return std::move(*given);
    TT_TRY(auto once, password("new password"));
    TT_TRY(const auto twice, password("the same again"));
    if (!std::ranges::equal(once, twice))
        return fail(ErrorCode::invalid_argument, "the passwords differ");
    return once;
}

Result<crypto::SecpKey> WalletOption::open() const {
    if (keystore.empty()) {
        TT_TRY(const auto bare, key_from_environment());
        if (!bare) return no_wallet();
        return crypto::SecpKey::from_bytes(bare->view());
    }
    TT_TRY(const Bytes text, net::read_file(keystore, chain::keystore_bytes_max));
    TT_TRY(const auto secret, password("password of " + keystore));
    auto key = chain::open_keystore(as_text(text), secret);
    if (!key) return in_context(keystore, std::move(key).error());
    return key;
}

Result<crypto::Address> WalletOption::address() const {
    if (!keystore.empty()) {
        TT_TRY(const Bytes text, net::read_file(keystore, chain::keystore_bytes_max));
        const auto named = chain::keystore_address(as_text(text));
        if (!named) return in_context(keystore, named.error());
        if (*named) return **named;
    }
    TT_TRY(const auto key, open());
    return key.address();
}

Result<crypto::Address> parse_account(std::string_view text, std::string_view flag) {
    auto address = chain::parse_address(text);
    if (!address)
        return fail(ErrorCode::invalid_argument, std::string(flag) + ": " + address.error().detail);
    return address;
}

void AccountOption::add_to(CLI::App& command) {
    command.add_option("--account", account, "Of this address; default: your wallet's");
}

Result<crypto::Address> AccountOption::resolve(const WalletOption& wallet) const {
    if (account.empty()) return wallet.address();
    return parse_account(account, "--account");
}

}  // namespace teetee::cli
