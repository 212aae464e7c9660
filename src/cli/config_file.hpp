// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace teetee::cli {

/// One value of a configuration file, as a flag would have it.
struct ConfigScalar {
    enum class Kind { text, integer, real, boolean };
    Kind kind = Kind::text;
    std::string text;
    bool operator==(const ConfigScalar&) const = default;
};

struct ConfigEntry {
    /// {"attest", "verify"} of [attest.verify]; empty above the first table.
    std::vector<std::string> table{};
    std::string key{};
    std::vector<ConfigScalar> values{};
    bool is_list = false;
    uint32_t line = 0;
};

struct ConfigTable {
    std::vector<std::string> path;
    uint32_t line = 0;
};

/// What a configuration file says, in the order of names: nothing is known yet of which tables and
/// keys there should be.
struct ConfigFile {
    /// For messages.
    std::string path;
    /// Every table, also one without keys.
    std::vector<ConfigTable> tables{};
    std::vector<ConfigEntry> entries{};
};

/// TOML 1.0 (https://toml.io/en/v1.0.0) with tables of strings, numbers, booleans and lists of
/// these. Errors: config_invalid with path and line; limit_exceeded (limits.hpp).
Result<ConfigFile> parse_config_file(std::string_view text, const std::string& path);

/// Error also: of net::read_file.
Result<ConfigFile> read_config_file(const std::string& path);

/// As a TOML basic string, quotes included.
std::string quote_toml(std::string_view text);

}  // namespace teetee::cli
