// SPDX-License-Identifier: Apache-2.0
#include "net/file_tree.hpp"

#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "net/file.hpp"
#include "net/system_error.hpp"

namespace teetee::net {
namespace {

class TreeReader {
  public:
    explicit TreeReader(const TreeLimits& limits) : limits_(limits) {}

    Result<void> read_folder(const Descriptor& folder, const std::string& path,
                             const std::string& prefix, size_t depth) {
        TT_TRY(const auto names, names_in(folder, path));
        for (const std::string& name : names) {
            const std::string place = path + "/" + name;
            const Descriptor opened(
                ::openat(folder.number(), name.c_str(),
                         O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
            if (opened.number() < 0 && errno == ELOOP)
                return fail(ErrorCode::io_failed, place + ": a link, which is not followed");
            if (opened.number() < 0) return system_error(place, "open");
            struct stat status {};
            if (::fstat(opened.number(), &status) != 0) return system_error(place, "examine");
            if (S_ISDIR(status.st_mode)) {
                if (depth >= limits_.depth_max)
                    return fail(ErrorCode::limit_exceeded, place + ": too deep a folder");
                TT_CHECK(read_folder(opened, place, prefix + name + "/", depth + 1));
            } else if (S_ISREG(status.st_mode)) {
                TT_CHECK(read(opened, place, prefix + name, static_cast<size_t>(status.st_size)));
            } else {
                return fail(ErrorCode::io_failed, place + ": neither a file nor a folder");
            }
        }
        return {};
    }

    std::map<std::string, Bytes> take() { return std::move(files_); }

  private:
    Result<std::vector<std::string>> names_in(const Descriptor& folder, const std::string& path) {
        // A descriptor of its own, as closedir ends it.
        const int number = ::openat(folder.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (number < 0) return system_error(path, "open");
        const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(number), ::closedir);
        if (listing == nullptr) {
            ::close(number);
            return system_error(path, "list");
        }
        std::vector<std::string> names;
        errno = 0;
        while (const dirent* entry = ::readdir(listing.get())) {
            const std::string name(static_cast<const char*>(entry->d_name));
            if (name == "." || name == "..") continue;
            if (++entries_ > limits_.entries_max) {
                return fail(ErrorCode::limit_exceeded, path + ": need at most " +
                                                           std::to_string(limits_.entries_max) +
                                                           " files and folders");
            }
            names.push_back(name);
        }
        if (errno != 0) return system_error(path, "list");
        return names;
    }

    Result<void> read(const Descriptor& file, const std::string& place, const std::string& name,
                      size_t bytes) {
        bytes_ += bytes;
        if (bytes > limits_.bytes_max || bytes_ > limits_.bytes_max) {
            return fail(ErrorCode::limit_exceeded, place + ": all files together need at most " +
                                                       std::to_string(limits_.bytes_max) +
                                                       " bytes");
        }
        Bytes content(bytes);
        for (size_t got = 0; got < bytes;) {
            const ssize_t more =
                ::pread(file.number(), content.data() + got, bytes - got, static_cast<off_t>(got));
            if (more < 0 && errno == EINTR) continue;
            if (more < 0) return system_error(place, "read");
            if (more == 0)
                return fail(ErrorCode::io_failed, place + ": became shorter while being read");
            got += static_cast<size_t>(more);
        }
        files_.emplace(name, std::move(content));
        return {};
    }

    TreeLimits limits_;
    size_t entries_ = 0;
    size_t bytes_ = 0;
    std::map<std::string, Bytes> files_;
};

}  // namespace

Result<std::map<std::string, Bytes>> read_tree(const std::string& folder,
                                               const TreeLimits& limits) {
    const Descriptor root(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (root.number() < 0) return system_error(folder, "open");
    TreeReader reader(limits);
    TT_CHECK(reader.read_folder(root, folder, "", 0));
    return reader.take();
}

}  // namespace teetee::net
