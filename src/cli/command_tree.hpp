// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace teetee::cli {

struct Session;

/// Puts every command into an empty tree; a Session MUST outlive its tree.
using AddCommands = std::function<void(CLI::App& root, Session& session)>;

// What help, configuration, manual pages and completion all read: the tree of commands and options.

/// {"attest", "verify"}; empty for the program itself.
using CommandPath = std::vector<std::string>;

/// What a value is made of. `word` is an option that names its values itself ("N", "FILE").
enum class ValueKind { flag, integer, real, text, word };

ValueKind value_kind(const CLI::Option& option);
/// May be given more than once.
bool takes_list(const CLI::Option& option);
/// The only values it takes; empty: others too.
std::vector<std::string> listed_values(const CLI::Option& option);
/// "TEXT", "INT", "{auto,dev}"; empty for a flag.
std::string value_name(const CLI::Option& option);
/// Its key in a configuration file: the long name, or the letter of an option that has no other.
std::string setting_name(const CLI::Option& option);

/// What may also be set by a variable or a file: neither arguments nor --help, --version and
/// --config.
bool is_setting(const CLI::Option& option);
/// Its value is shown to nobody, by the name's last word: a token, a password, a prompt.
bool is_secret(std::string_view name);
/// Those that `--help` shows: of the command itself, not of the ones above it.
std::vector<const CLI::Option*> shown_options(const CLI::App& command);
std::vector<const CLI::Option*> arguments_of(const CLI::App& command);
std::vector<CLI::Option*> settings_of(CLI::App& command);
std::vector<const CLI::App*> subcommands_of(const CLI::App& command);

/// From the program to the command that was called, both included; needs a parsed tree.
std::vector<CLI::App*> called_chain(CLI::App& root);
/// nullptr where there is none.
CLI::App* find_command(CLI::App& root, const CommandPath& path);
CommandPath path_of(const CLI::App& command);

/// Whose settings a command takes where it has none of its own: 'doctor' looks at what 'node' would
/// do. The command itself comes first.
std::vector<CommandPath> setting_tables(const CommandPath& path);

/// The rule: TEETEE_, the command's words, the option's name, in capitals: TEETEE_NODE_API_TLS.
std::string variable_name(const CommandPath& path, std::string_view setting);
/// All that count, the first that is set wins: by the rule, then the one that several commands
/// share.
std::vector<std::string> variable_names(const CommandPath& path, std::string_view setting,
                                        const std::string& shared);

/// Of the names the one that was probably meant, else "".
std::string nearest_name(std::string_view name, const std::vector<std::string>& names);

}  // namespace teetee::cli
