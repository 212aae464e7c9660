// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/settings.hpp"

namespace teetee::cli {

/// A value for --config and TEETEE_CONFIG: no file is read, whatever lies in the usual places.
inline constexpr std::string_view no_config = "none";
inline constexpr const char* system_config_path = "/etc/teetee/config.toml";

/// This process's.
std::optional<std::string> environment_variable(const std::string& name);

struct ConfigPlace {
    std::string path;
    /// Named by someone, and must be there.
    bool is_named = false;
};

/// Where configuration is looked for: the file that the flag or else TEETEE_CONFIG names, else
/// $XDG_CONFIG_HOME/teetee/config.toml (~/.config/..) before /etc/teetee/config.toml.
std::vector<ConfigPlace> config_places(const std::optional<std::string>& flag,
                                       const Variables& variables);

/// Those that are there, each checked against every command. Errors: of read_config_file and
/// SettingsTrial::check.
Result<std::vector<ConfigFile>> read_config_files(const std::vector<ConfigPlace>& places,
                                                  SettingsTrial& trial);

/// The settings of the command that is called, and of those above it. Errors: as above.
Result<std::vector<Setting>> called_settings(SettingsTrial& trial);

/// Brings variables and files into the tree that is parsed next. Errors: as above.
Result<void> configure(CLI::App& root, SettingsTrial& trial);

}  // namespace teetee::cli
