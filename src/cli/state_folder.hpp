// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "net/file.hpp"

namespace teetee::cli {

/// Where commands keep what outlives them: $XDG_STATE_HOME/teetee, else ~/.local/state/teetee.
std::string state_home();

/// Where models are kept: $XDG_DATA_HOME/teetee/models, else ~/.local/share/teetee/models.
std::string models_home();

/// Makes a folder, and those above it, for its owner alone. Error: io_failed.
Result<void> make_private_folder(const std::string& path);

/// A folder that one process at a time uses. The lock ends with the process, however it ends.
class LockedFolder {
  public:
    /// Made where it is missing; nullopt where another process has it. Error: io_failed.
    static Result<std::optional<LockedFolder>> try_open(const std::string& path);

    const std::string& path() const { return path_; }

  private:
    LockedFolder(std::string path, net::Descriptor lock)
        : path_(std::move(path)), lock_(std::move(lock)) {}

    std::string path_;
    net::Descriptor lock_;
};

}  // namespace teetee::cli
