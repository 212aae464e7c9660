// SPDX-License-Identifier: Apache-2.0
#include "cli/host_memory.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "net/kernel_file.hpp"

namespace teetee::cli {
namespace {

constexpr size_t file_bytes_max = 64 * 1024;

/// The number behind `label` in a file of the kernel, if there is one.
std::optional<uint64_t> number_in(const std::string& path, std::string_view label) {
    const auto bytes = net::read_kernel_file(path, file_bytes_max);
    if (!bytes) return std::nullopt;
    std::string_view text = as_text(*bytes);
    const size_t at = text.find(label);
    if (at == std::string_view::npos) return std::nullopt;
    text.remove_prefix(at + label.size());
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    uint64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc()) return std::nullopt;
    return number;
}

}  // namespace

uint64_t available_memory_bytes() {
    uint64_t bytes = number_in("/proc/meminfo", "MemAvailable:").value_or(0) * 1024;
    // "max" where the container has no bound of its own.
    if (const auto bound = number_in("/sys/fs/cgroup/memory.max", "")) {
        const uint64_t used = number_in("/sys/fs/cgroup/memory.current", "").value_or(0);
        const uint64_t left = *bound - std::min(used, *bound);
        if (bytes == 0 || left < bytes) bytes = left;
    }
    return bytes;
}

}  // namespace teetee::cli
