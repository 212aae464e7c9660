// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/command_tree.hpp"
#include "cli/config_file.hpp"

namespace teetee::cli {

// Where a command's settings come from: flag, variable, configuration file, default, in this order
// (docs/cli.md). This part does no I/O.

enum class SettingSource { flag, environment, file, fallback };
/// "flag", "environment", "file", "default".
std::string_view to_string(SettingSource source);

struct Setting {
    CommandPath command{};
    std::string name{};
    /// None: nothing is set and there is no default to show.
    std::vector<std::string> values{};
    bool is_list = false;
    SettingSource source = SettingSource::fallback;
    /// The variable, or the file and line.
    std::string origin{};
};

/// nullopt for a variable that is not set, or is empty.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;

/// A second tree of the same commands, which runs nothing: what arguments, variables and files say
/// is tried on it before the command's own tree is parsed.
class SettingsTrial {
  public:
    explicit SettingsTrial(const AddCommands& add_commands);
    ~SettingsTrial();

    /// Looks at the arguments (argv[0] excluded); what is wrong with them is left to who parses
    /// them for good.
    void read_arguments(const std::vector<std::string>& arguments);

    /// Help or the version is asked for, or no command: no setting matters.
    bool is_about_nothing() const;
    /// As a flag says it, of the program itself.
    std::optional<std::string> flag_value(const std::string& name) const;
    bool has_flag(const std::string& name) const { return flag_value(name).has_value(); }
    /// {"attest", "verify"}.
    CommandPath called() const;
    /// Arguments that are none of the program's, or of the command's.
    std::vector<std::string> left_over() const { return root_->remaining(true); }

    /// Every table, key and value of a file, whatever command is called. Error: config_invalid with
    /// file, line and what is probably meant.
    Result<void> check(const ConfigFile& file);

    /// What one command's options come to, those of the program itself (for the empty path) not
    /// included. Of files the first wins. Errors: config_invalid for a variable's value; those that
    /// check() would find.
    Result<std::vector<Setting>> settings(const CommandPath& path, const Variables& variables,
                                          const std::vector<ConfigFile>& files);

  private:
    Result<void> check_table(const ConfigTable& table, const std::string& file);
    Result<void> check_entry(const ConfigEntry& entry, const std::string& file);
    Error unknown_key(CLI::App& command, const ConfigEntry& entry, const std::string& file);
    Result<bool> from_variable(CLI::Option& option, const Variables& variables, Setting& setting);

    std::unique_ptr<Session> session_;
    std::unique_ptr<CLI::App> root_;
    /// By the arguments; trying values leaves marks on the options themselves.
    std::map<const CLI::Option*, std::vector<std::string>> given_;
    std::map<const CLI::Option*, std::string> shared_variables_;
};

/// Puts what variables and files say into the tree that is to be parsed, in the place of the
/// library's own look at variables.
void put_settings(CLI::App& root, const std::vector<Setting>& settings);

}  // namespace teetee::cli
