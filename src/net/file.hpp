// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.hpp"
#include "base/storage.hpp"

namespace teetee::net {

// Errors of this header name the path and the system's reason: not_found (no such file), io_failed
// (anything else), limit_exceeded. Only regular files are opened, so that a FIFO or a device in the
// place of a file can neither block nor feed without end.

/// The whole file, at most bytes_max.
Result<Bytes> read_file(const std::string& path, size_t bytes_max);

struct WriteOptions {
    /// Of the new file, whatever the umask; 0600 for keys.
    unsigned mode = 0644;
    /// Without it a power cut may leave a file with holes under the new name.
    bool sync = true;
};

/// Readers see the old content or the new one, also after a power cut: writes beside the path,
/// syncs, renames over it.
Result<void> write_file_atomic(const std::string& path, ByteView content,
                               WriteOptions options = {});

/// The same for content that comes in pieces. Errors also: those of `fill`.
Result<void> stream_file_atomic(const std::string& path,
                                const std::function<Result<void>(const BlobStore::Sink&)>& fill,
                                WriteOptions options = {});

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept;
    Descriptor& operator=(Descriptor&& other) noexcept;

    int number() const { return number_; }

  private:
    int number_;
};

/// What a file system tells about one state of a file without reading it. A write to the file or a
/// new file in its place changes at least one of them, as `make` and `ccache` assume too.
struct FileState {
    uint64_t device = 0;
    uint64_t inode = 0;
    uint64_t bytes = 0;
    int64_t modified_ns = 0;
    int64_t changed_ns = 0;  // of the inode: no program can set it back

    bool operator==(const FileState&) const = default;
};

/// A file that is read piece by piece, so that it takes no memory of this process.
class File final : public ByteSource {
  public:
    static Result<File> open(const std::string& path);

    /// As of open().
    const FileState& state() const { return state_; }
    uint64_t size_bytes() const override { return state_.bytes; }
    /// Error: io_failed, also when the file has become shorter.
    Result<void> read(uint64_t offset, std::span<uint8_t> out) const override;

  private:
    File(std::string path, Descriptor descriptor, const FileState& state)
        : path_(std::move(path)), descriptor_(std::move(descriptor)), state_(state) {}

    std::string path_;
    Descriptor descriptor_;
    FileState state_;
};

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
