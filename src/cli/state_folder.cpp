// SPDX-License-Identifier: Apache-2.0
#include "cli/state_folder.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>

namespace teetee::cli {

namespace {

struct HomeFolder {
    const char* variable;  // of the XDG base directory specification
    const char* fallback;  // under the home folder
};

std::string find_home(const HomeFolder& folder) {
    const char* named = std::getenv(folder.variable);
    const char* home = std::getenv("HOME");
    if (named != nullptr && *named != '\0') return named;
    return std::string(home == nullptr ? "/tmp" : home) + folder.fallback;
}

}  // namespace

std::string state_home() {
    return find_home({"XDG_STATE_HOME", "/.local/state"}) + "/teetee";
}

std::string models_home() {
    return find_home({"XDG_DATA_HOME", "/.local/share"}) + "/teetee/models";
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
