// SPDX-License-Identifier: Apache-2.0
#include "net/file_update.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace teetee::net {
namespace {

/// MUST be called before errno changes again.
Error system_error(const std::string& path, const std::string& action) {
    return fail(ErrorCode::io_failed, path + ": cannot " + action + ": " + std::strerror(errno));
}

std::string folder_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

/// The new file takes the place of the one whose state is `old`.
Result<void> take_place(const std::string& fresh, const std::string& path, const struct stat& old) {
    struct stat own {};
    if (::stat(fresh.c_str(), &own) != 0) return system_error(fresh, "examine");
    const bool is_same = own.st_uid == old.st_uid && own.st_gid == old.st_gid;
    if (!is_same && ::chown(fresh.c_str(), old.st_uid, old.st_gid) != 0) {
        return system_error(path, "keep its owner " + std::to_string(old.st_uid) + ":" +
                                      std::to_string(old.st_gid) +
                                      ", without which its reader could not read it any more "
                                      "(nothing was changed; run this as root or as its owner)");
    }
    if (::chmod(fresh.c_str(), old.st_mode & 07777u) != 0)
        return system_error(path, "keep its mode");
    if (::rename(fresh.c_str(), path.c_str()) != 0) return system_error(path, "replace");
    const Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.number() < 0 || ::fsync(folder.number()) != 0)
        return system_error(folder_of(path), "sync");
    return {};
}

}  // namespace

Result<FolderLock> FolderLock::take(const std::string& path) {
    const std::string folder = folder_of(path);
    Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.number() < 0) return system_error(folder, "open");
    while (::flock(descriptor.number(), LOCK_EX) != 0) {
        if (errno != EINTR) return system_error(folder, "lock");
    }
    return FolderLock(std::move(descriptor));
}

Result<void> update_file_atomic(const std::string& path, ByteView content) {
    struct stat old {};
    if (::stat(path.c_str(), &old) != 0) {
        if (errno == ENOENT) return write_file_atomic(path, content, {.mode = 0600});
        return system_error(path, "examine");
    }
    const std::string fresh = path + ".new";
    TT_CHECK(write_file_atomic(fresh, content, {.mode = 0600}));
    auto done = take_place(fresh, path, old);
    if (!done) ::unlink(fresh.c_str());
    return done;
}

}  // namespace teetee::net
