// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "hub/journal.hpp"
#include "net/file.hpp"

namespace teetee::hub {

/// A file that is not whole yet, PATH.part, and its journal, PATH.part.json. One process at a time
/// has it; the lock ends with the process, however it ends.
class PartFile {
  public:
    /// Makes the folder and the file where they are missing. Errors: io_failed; already_exists
    /// where another process is at it.
    static Result<PartFile> open(const std::string& path);

    const std::string& part_path() const { return part_path_; }
    /// What a process before this one has left; nullopt where there is nothing that can be used.
    std::optional<Journal> read_journal() const;

    /// May be called by several threads. Error: io_failed.
    Result<void> write(uint64_t offset, ByteView bytes) const;
    /// Puts what was written on the disk, and then what the journal says of it. Error: io_failed.
    Result<void> keep(const Journal& journal) const;
    /// Makes the file anew. Error: io_failed.
    Result<void> clear() const;
    /// Exactly so long, as what stood there before may have been longer. Error: io_failed.
    Result<void> set_bytes(uint64_t bytes) const;
    /// Free bytes of its file system; nullopt where that does not say.
    std::optional<uint64_t> free_bytes() const;

    /// Gives it its name, also after a power cut; the journal goes. Error: io_failed.
    Result<void> publish() const;
    void discard() const;
    /// Removes a file that nothing came for.
    void discard_if_empty() const;

  private:
    PartFile(std::string path, net::Descriptor descriptor)
        : path_(std::move(path)),
          part_path_(path_ + ".part"),
          journal_path_(path_ + ".part.json"),
          descriptor_(std::move(descriptor)) {}

    std::string path_;
    std::string part_path_;
    std::string journal_path_;
    net::Descriptor descriptor_;
};

}  // namespace teetee::hub
