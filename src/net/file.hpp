// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.hpp"

namespace teetee::net {

// Errors of this header name the path and the system's reason: not_found (no such file), io_failed
// (anything else), limit_exceeded. Only regular files are opened, so that a FIFO or a device in the
// place of a file can neither block nor feed without end.

/// The whole file, at most bytes_max.
Result<Bytes> read_file(const std::string& path, size_t bytes_max);

struct WriteOptions {
    /// Of the new file, whatever the umask; 0600 for keys.
    unsigned mode = 0644;
};

/// Readers see the old content or the new one, also after a power cut: writes beside the path,
/// syncs, renames over it.
Result<void> write_file_atomic(const std::string& path, ByteView content,
                               WriteOptions options = {});

/// A read-only mapping of a whole file. The content changes under the reader, or a read kills the
/// process (SIGBUS), if someone writes into or truncates the file: weights are replaced by rename.
class MappedFile {
  public:
    static Result<MappedFile> open(const std::string& path);
    ~MappedFile();
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;

    /// Valid as long as this object; empty for an empty file.
    ByteView view() const { return view_; }

  private:
    explicit MappedFile(ByteView view) : view_(view) {}
    ByteView view_;
};

}  // namespace teetee::net
