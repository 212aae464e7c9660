// SPDX-License-Identifier: Apache-2.0
#include "net/kernel_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "net/file.hpp"
#include "net/system_error.hpp"

namespace teetee::net {
Result<Bytes> read_kernel_file(const std::string& path, size_t bytes_max) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (file.number() < 0) return system_error(path, "open");
    Bytes content(bytes_max + 1);
    size_t used_bytes = 0;
    while (used_bytes < content.size()) {
        const ssize_t got =
            ::read(file.number(), content.data() + used_bytes, content.size() - used_bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(path, "read");
        if (got == 0) break;
        used_bytes += static_cast<size_t>(got);
    }
    if (used_bytes > bytes_max) {
        return fail(ErrorCode::limit_exceeded,
                    path + ": have more than " + std::to_string(bytes_max) + " bytes");
    }
    content.resize(used_bytes);
    return content;
}

Result<void> write_kernel_file(const std::string& path, ByteView content) {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (file.number() < 0) return system_error(path, "open");
    ssize_t written = 0;
    do {
        written = ::write(file.number(), content.data(), content.size());
    } while (written < 0 && errno == EINTR);
    if (written != static_cast<ssize_t>(content.size())) return system_error(path, "write");
    return {};
}

}  // namespace teetee::net
