// SPDX-License-Identifier: Apache-2.0
#include "net/blob_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "base/assert.hpp"
#include "net/file.hpp"

namespace teetee::net {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view suffix = ".blob";

bool is_name(std::string_view name) {
    const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    return name.size() == 64 && std::ranges::all_of(name, is_digit);
}

/// "NAME.blob", and with a dot and six characters after it while it is written. Whatever else lies
/// in the folder is somebody's.
bool is_ours(std::string_view file) {
    constexpr size_t temporary_bytes = 7;
    const std::string_view name = file.substr(0, file.find('.'));
    if (!is_name(name)) return false;
    file.remove_prefix(name.size());
    if (!file.starts_with(suffix)) return false;
    file.remove_prefix(suffix.size());
    return file.empty() || (file.size() == temporary_bytes && file.starts_with('.'));
}

struct Blob {
    fs::path path;
    fs::file_time_type used;
    uint64_t bytes = 0;
};

std::vector<Blob> blobs_in(const std::string& folder) {
    std::vector<Blob> blobs;
    std::error_code failed;
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end;
         at.increment(failed)) {
        std::error_code gone;
        if (!is_ours(at->path().filename().string()) || !at->is_regular_file(gone)) continue;
        const uint64_t bytes = at->file_size(gone);
        const auto used = at->last_write_time(gone);
        if (!gone) blobs.push_back({at->path(), used, bytes});
    }
    return blobs;
}

Result<void> make_private_folder(const std::string& folder) {
    std::error_code failed;
    const bool made = fs::create_directories(folder, failed);
    if (made && !failed) fs::permissions(folder, fs::perms::owner_all, failed);
    if (failed) return fail(ErrorCode::io_failed, folder + ": " + failed.message());
    return {};
}

}  // namespace

std::string BlobFolder::path_of(const std::string& name) const {
    return folder_ + "/" + name + std::string(suffix);
}

Result<std::unique_ptr<ByteSource>> BlobFolder::open(const std::string& name) {
    const std::string path = path_of(name);
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return fail(ErrorCode::not_found, path);
    if (status.st_uid != ::geteuid()) {
        return fail(ErrorCode::io_failed, path + ": belongs to another user");
    }
    TT_TRY(auto file, File::open(path));
    // The time of the last use decides what goes first; where it cannot be set, age does.
    (void)::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
    return std::unique_ptr<ByteSource>(std::make_unique<File>(std::move(file)));
}

void BlobFolder::make_room(uint64_t needed_bytes) const {
    auto blobs = blobs_in(folder_);
    std::ranges::sort(blobs, {}, &Blob::used);
    uint64_t total_bytes = needed_bytes;
    for (const Blob& blob : blobs) total_bytes += blob.bytes;
    for (const Blob& blob : blobs) {
        if (total_bytes <= limits_.bytes_max) return;
        std::error_code failed;
        fs::remove(blob.path, failed);
        total_bytes -= blob.bytes;
    }
}

Result<void> BlobFolder::write(const std::string& name, uint64_t size_bytes,
                               const std::function<Result<void>(const Sink&)>& fill) {
    TT_ASSERT(is_name(name));
    if (size_bytes > limits_.bytes_max) {
        return fail(ErrorCode::limit_exceeded, folder_ + ": have room for " +
                                                   std::to_string(limits_.bytes_max) +
                                                   " bytes, need " + std::to_string(size_bytes));
    }
    TT_CHECK(make_private_folder(folder_));
    make_room(size_bytes);
    return stream_file_atomic(path_of(name), fill, {.mode = 0600, .sync = false});
}

}  // namespace teetee::net
