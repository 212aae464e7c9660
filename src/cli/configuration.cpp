// SPDX-License-Identifier: Apache-2.0
#include "cli/configuration.hpp"

#include <cstdlib>

namespace teetee::cli {

std::optional<std::string> environment_variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string(value);
}

std::vector<ConfigPlace> config_places(const std::optional<std::string>& flag,
                                       const Variables& variables) {
    if (const auto named = flag ? flag : variables("TEETEE_CONFIG")) {
        if (*named == no_config) return {};
        return {{.path = *named, .is_named = true}};
    }
    std::vector<ConfigPlace> out;
    if (const auto folder = variables("XDG_CONFIG_HOME")) {
        out.push_back({.path = *folder + "/teetee/config.toml"});
    } else if (const auto home = variables("HOME")) {
        out.push_back({.path = *home + "/.config/teetee/config.toml"});
    }
    out.push_back({.path = system_config_path});
    return out;
}

Result<std::vector<ConfigFile>> read_config_files(const std::vector<ConfigPlace>& places,
                                                  SettingsTrial& trial) {
    std::vector<ConfigFile> out;
    for (const ConfigPlace& place : places) {
        auto file = read_config_file(place.path);
        if (!file && file.error().code == ErrorCode::not_found && !place.is_named) continue;
        // Wrong usage, like anything else that is wrong with it.
        if (!file && file.error().code == ErrorCode::limit_exceeded)
            return fail(ErrorCode::config_invalid, file.error().detail);
        if (!file) return in_context("configuration", std::move(file).error());
        TT_CHECK(trial.check(*file));
        out.push_back(std::move(*file));
    }
    return out;
}

Result<std::vector<Setting>> called_settings(SettingsTrial& trial) {
    TT_TRY(
        const auto files,
        read_config_files(config_places(trial.flag_value("config"), environment_variable), trial));
    std::vector<Setting> out;
    const CommandPath called = trial.called();
    for (size_t depth = 0; depth <= called.size(); ++depth) {
        const CommandPath path(called.begin(), called.begin() + static_cast<ptrdiff_t>(depth));
        TT_TRY(auto settings, trial.settings(path, environment_variable, files));
        out.insert(out.end(), settings.begin(), settings.end());
    }
    return out;
}

Result<void> configure(CLI::App& root, SettingsTrial& trial) {
    if (trial.is_about_nothing()) return {};
    TT_TRY(const auto settings, called_settings(trial));
    put_settings(root, settings);
    return {};
}

}  // namespace teetee::cli
