// SPDX-License-Identifier: Apache-2.0
#include "net/file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "net/system_error.hpp"

namespace teetee::net {
namespace {

struct OpenFile {
    Descriptor descriptor;
    FileState state;
};

int64_t to_ns(const timespec& time) {
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Result<OpenFile> open_regular(const std::string& path) {
    // Without O_NONBLOCK the open of a FIFO would wait for a writer.
    Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (descriptor.number() < 0) return system_error(path, "open");
    struct stat status {};
    if (::fstat(descriptor.number(), &status) != 0) return system_error(path, "examine");
    if (!S_ISREG(status.st_mode)) return fail(ErrorCode::io_failed, path + ": not a regular file");
    const FileState state = {status.st_dev, status.st_ino, static_cast<uint64_t>(status.st_size),
                             to_ns(status.st_mtim), to_ns(status.st_ctim)};
    return OpenFile{std::move(descriptor), state};
}

Result<void> read_all(const Descriptor& descriptor, const std::string& path, uint64_t offset,
                      std::span<uint8_t> out) {
    while (!out.empty()) {
        const ssize_t got =
            ::pread(descriptor.number(), out.data(), out.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(path, "read");
        if (got == 0) return fail(ErrorCode::io_failed, path + ": became shorter while being read");
        offset += static_cast<uint64_t>(got);
        out = out.subspan(static_cast<size_t>(got));
    }
    return {};
}

Result<void> write_all(const Descriptor& descriptor, const std::string& path, ByteView content) {
    while (!content.empty()) {
        const ssize_t written = ::write(descriptor.number(), content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_error(path, "write");
        content = content.subspan(static_cast<size_t>(written));
    }
    return {};
}

/// The rename itself is on the disk only once the directory is.
Result<void> sync_directory_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const Descriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.number() < 0) return system_error(directory, "open");
    if (::fsync(descriptor.number()) != 0) return system_error(directory, "sync");
    return {};
}

}  // namespace

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

Result<File> File::open(const std::string& path) {
    TT_TRY(auto file, open_regular(path));
    return File(path, std::move(file.descriptor), file.state);
}

Result<void> File::read(uint64_t offset, std::span<uint8_t> out) const {
    return read_all(descriptor_, path_, offset, out);
}

Result<Bytes> read_file(const std::string& path, size_t bytes_max) {
    TT_TRY(const OpenFile file, open_regular(path));
    if (file.state.bytes > bytes_max) {
        return fail(ErrorCode::limit_exceeded, path + ": have " + std::to_string(file.state.bytes) +
                                                   " bytes, need at most " +
                                                   std::to_string(bytes_max));
    }
    Bytes content(static_cast<size_t>(file.state.bytes));
    TT_CHECK(read_all(file.descriptor, path, 0, content));
    return content;
}

Result<void> stream_file_atomic(const std::string& path,
                                const std::function<Result<void>(const BlobStore::Sink&)>& fill,
                                WriteOptions options) {
    std::string temporary = path + "." + std::string(6, 'X');  // mkstemp(3) fills it in
    const Descriptor descriptor(::mkostemp(temporary.data(), O_CLOEXEC));
    if (descriptor.number() < 0) return system_error(path, "create a file beside");
    const auto write = [&]() -> Result<void> {
        TT_CHECK(fill([&](ByteView bytes) { return write_all(descriptor, path, bytes); }));
        if (::fchmod(descriptor.number(), options.mode) != 0) {
            return system_error(path, "set the mode of");
        }
        if (options.sync && ::fsync(descriptor.number()) != 0) return system_error(path, "sync");
        if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error(path, "replace");
        return {};
    };
    if (auto written = write(); !written) {
        ::unlink(temporary.c_str());
        return written;
    }
    return options.sync ? sync_directory_of(path) : Result<void>();
}

Result<void> write_file_atomic(const std::string& path, ByteView content, WriteOptions options) {
    return stream_file_atomic(
        path, [content](const BlobStore::Sink& sink) { return sink(content); }, options);
}

Result<MappedFile> MappedFile::open(const std::string& path) {
    TT_TRY(const OpenFile file, open_regular(path));
    const auto bytes = static_cast<size_t>(file.state.bytes);
    if (bytes == 0) return MappedFile(ByteView());
    void* data = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.descriptor.number(), 0);
    if (data == MAP_FAILED) return system_error(path, "map");
    return MappedFile({static_cast<const uint8_t*>(data), bytes});
}

MappedFile::~MappedFile() {
    if (!view_.empty()) ::munmap(const_cast<uint8_t*>(view_.data()), view_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept : view_(std::exchange(other.view_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(view_, other.view_);
    return *this;
}

}  // namespace teetee::net
