// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "net/file.hpp"

namespace teetee::net {

/// As long as it lives no other process of this program changes files of one folder that are read,
/// changed and written: without it the change of one of two would be lost. Ends with the process.
class FolderLock {
  public:
    /// Of the folder that this file is in; waits for who has it. Error: io_failed.
    static Result<FolderLock> take(const std::string& path);

  private:
    explicit FolderLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
    Descriptor descriptor_;
};

/// As write_file_atomic, but owner, group and mode are those of the file that is there, so that
/// whoever reads it still can; a new file is for its owner alone. Error: io_failed, also where they
/// cannot be kept; then nothing has changed.
Result<void> update_file_atomic(const std::string& path, ByteView content);

}  // namespace teetee::net
