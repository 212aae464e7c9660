// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <fmt/format.h>

#include "chain/address.hpp"
#include "chain/limits.hpp"
#include "cli/chain_commands.hpp"
#include "cli/command.hpp"
#include "cli/wallet_option.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

struct NewOptions {
    WalletOption wallet;
    bool is_import = false;
};

struct ShowOptions {
    WalletOption wallet;
    bool is_checked = false;
};

/// The key in TEETEE_KEY, or one that nobody had before.
Result<crypto::Secret<32>> secret_for(const NewOptions& options) {
    if (!options.is_import) {
        // Almost every 32 bytes are a key; for those that are not, sealing fails.
        SystemRng rng;
        crypto::Secret<32> secret;
        rng.fill(secret.writable());
        return secret;
    }
    TT_TRY(auto given, key_from_environment());
    if (!given) return fail(ErrorCode::invalid_argument, "--import: need the key in TEETEE_KEY");
    return std::move(*given);
}

Result<void> make_account(const NewOptions& options, Session& session) {
    const std::string& path = options.wallet.keystore;
    if (path.empty())
        return fail(ErrorCode::invalid_argument, "need --keystore FILE, where the key is to be");
    std::error_code failed;
    if (std::filesystem::exists(path, failed))
        return fail(ErrorCode::invalid_argument, path + ": is there, and is not overwritten");
    TT_TRY(const auto secret, secret_for(options));
    TT_TRY(const auto password, options.wallet.new_password());
    SystemRng rng;
    TT_TRY(const std::string text, chain::seal_keystore(secret, password, rng));
    TT_CHECK(net::write_file_atomic(path, as_bytes(text + "\n"), {.mode = 0600}));
    TT_TRY(const auto key, crypto::SecpKey::from_bytes(secret.view()));
    const std::string address = chain::to_checksum_text(key.address());
    if (session.json) {
        print_json({{"address", address}, {"keystore", path}});
    } else {
        print_text(
            fmt::format("{}\nits key is in {}; whoever loses the file or its password loses "
                        "what the account has\n",
                        address, path));
    }
    return {};
}

Result<void> show_account(const ShowOptions& options, Session& session) {
    chain::Address address{};
    if (options.is_checked) {
        TT_TRY(const auto key, options.wallet.open());
        address = key.address();
    } else {
        TT_TRY(address, options.wallet.address());
    }
    const std::string text = chain::to_checksum_text(address);
    if (session.json) {
        print_json({{"address", text}, {"checked", options.is_checked}});
    } else {
        print_text(text + "\n");
    }
    return {};
}

}  // namespace

void add_account(CLI::App& app, Session& session) {
    CLI::App* group = app.add_subcommand("account", "Keep a wallet's key in an encrypted file");
    group->require_subcommand(1);

    auto new_options = std::make_shared<NewOptions>();
    CLI::App* command =
        add_command(*group, session, "new", "Make a key and write its keystore file", new_options,
                    make_account);
    command->add_flag("--import", new_options->is_import, "Write the key in TEETEE_KEY instead");
    new_options->wallet.add_to(*command);

    auto show_options = std::make_shared<ShowOptions>();
    command = add_command(*group, session, "show", "Say which account a wallet is of", show_options,
                          show_account);
    command->add_flag("--check", show_options->is_checked,
                      "Unlock it, so that the file is not just believed");
    show_options->wallet.add_to(*command);
}

}  // namespace teetee::cli
