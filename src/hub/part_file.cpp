// SPDX-License-Identifier: Apache-2.0
#include "hub/part_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/limits.hpp"

namespace teetee::hub {
namespace {

namespace fs = std::filesystem;

/// MUST be called before errno changes again.
Error system_error(const std::string& path, const char* action) {
    return fail(ErrorCode::io_failed, path + ": cannot " + action + ": " + std::strerror(errno));
}

/// Whoever had the file before may have given it its name, or removed it, since it was opened.
bool is_still_there(const net::Descriptor& descriptor, const std::string& path) {
    struct stat opened {};
    struct stat named {};
    return ::fstat(descriptor.number(), &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace

Result<PartFile> PartFile::open(const std::string& path) {
    const std::string part_path = path + ".part";
    if (const auto folder = fs::path(path).parent_path(); !folder.empty()) {
        std::error_code failed;
        fs::create_directories(folder, failed);
        if (failed) return fail(ErrorCode::io_failed, folder.string() + ": " + failed.message());
    }
    while (true) {
        net::Descriptor descriptor(
            ::open(part_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
        if (descriptor.number() < 0) return system_error(part_path, "open");
        if (::flock(descriptor.number(), LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK) return system_error(part_path, "lock");
            return fail(ErrorCode::already_exists, part_path + ": another process fetches it");
        }
        if (is_still_there(descriptor, part_path)) return PartFile(path, std::move(descriptor));
    }
}

std::optional<Journal> PartFile::read_journal() const {
    const auto text = net::read_file(journal_path_, journal_bytes_max);
    if (!text) return std::nullopt;
    auto journal = parse_journal(as_text(*text));
    if (!journal) return std::nullopt;
    // The part that it tells of may have got its name, or been removed by somebody.
    const auto ranges = journal->done.ranges();
    struct stat status {};
    if (::fstat(descriptor_.number(), &status) != 0) return std::nullopt;
    const auto bytes = static_cast<uint64_t>(status.st_size);
    if (!ranges.empty() && ranges.back().end > bytes) return std::nullopt;
    return std::move(*journal);
}

Result<void> PartFile::write(uint64_t offset, ByteView bytes) const {
    while (!bytes.empty()) {
        const ssize_t written =
            ::pwrite(descriptor_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_error(part_path_, "write");
        offset += static_cast<uint64_t>(written);
        bytes = bytes.subspan(static_cast<size_t>(written));
    }
    return {};
}

Result<void> PartFile::keep(const Journal& journal) const {
    if (::fdatasync(descriptor_.number()) != 0) return system_error(part_path_, "sync");
    return net::write_file_atomic(journal_path_, as_bytes(encode_journal(journal)));
}

Result<void> PartFile::clear() const {
    ::unlink(journal_path_.c_str());
    return set_bytes(0);
}

Result<void> PartFile::set_bytes(uint64_t bytes) const {
    if (::ftruncate(descriptor_.number(), static_cast<off_t>(bytes)) == 0) return {};
    return system_error(part_path_, "set the length of");
}

std::optional<uint64_t> PartFile::free_bytes() const {
    std::error_code failed;
    const auto space = fs::space(part_path_, failed);
    if (failed) return std::nullopt;
    return space.available;
}

Result<void> PartFile::publish() const {
    if (::fsync(descriptor_.number()) != 0) return system_error(part_path_, "sync");
    if (::rename(part_path_.c_str(), path_.c_str()) != 0) return system_error(path_, "replace");
    ::unlink(journal_path_.c_str());
    auto folder = fs::path(path_).parent_path().string();
    if (folder.empty()) folder = ".";
    const net::Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.number() < 0) return system_error(folder, "open");
    if (::fsync(directory.number()) != 0) return system_error(folder, "sync");
    return {};
}

void PartFile::discard() const {
    ::unlink(journal_path_.c_str());
    ::unlink(part_path_.c_str());
}

void PartFile::discard_if_empty() const {
    struct stat status {};
    if (::fstat(descriptor_.number(), &status) == 0 && status.st_size == 0) discard();
}

}  // namespace teetee::hub
