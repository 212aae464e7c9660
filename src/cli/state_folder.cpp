// SPDX-License-Identifier: Apache-2.0
#include "cli/state_folder.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>

namespace teetee::cli {

std::string state_home() {
    const char* state = std::getenv("XDG_STATE_HOME");
    const char* home = std::getenv("HOME");
    const std::string base = state != nullptr && *state != '\0'
                                 ? std::string(state)
                                 : std::string(home == nullptr ? "/tmp" : home) + "/.local/state";
    return base + "/teetee";
}

Result<void> make_private_folder(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code failed;
    if (fs::is_directory(path, failed)) return {};
    fs::create_directories(path, failed);
    if (!failed) fs::permissions(path, fs::perms::owner_all, failed);
    if (failed) return fail(ErrorCode::io_failed, path + ": " + failed.message());
    return {};
}

Result<std::optional<LockedFolder>> LockedFolder::try_open(const std::string& path) {
    TT_CHECK(make_private_folder(path));
    const std::string lock_path = path + "/lock";
    net::Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    const bool is_open = lock.number() >= 0;
    if (is_open && ::flock(lock.number(), LOCK_EX | LOCK_NB) == 0)
        return std::optional(LockedFolder(path, std::move(lock)));
    if (is_open && errno == EWOULDBLOCK) return std::optional<LockedFolder>();
    return fail(ErrorCode::io_failed, lock_path + ": " + std::strerror(errno));
}

}  // namespace teetee::cli
