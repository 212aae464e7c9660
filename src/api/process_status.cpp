// SPDX-License-Identifier: Apache-2.0
#include "api/process_status.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include "net/kernel_file.hpp"

namespace teetee::api {
namespace {

constexpr size_t proc_file_bytes_max = 4096;

/// Words of a file; what is behind the last ')' where there is one, for the name in front of it may
/// have any.
std::vector<double> numbers_of(const char* path) {
    const auto content = net::read_kernel_file(path, proc_file_bytes_max);
    if (!content) return {};
    std::string text(content->begin(), content->end());
    const size_t name_end = text.rfind(')');
    if (name_end != std::string::npos) text.erase(0, name_end + 1);
    std::vector<double> out;
    for (size_t at = text.find_first_not_of(" \n"); at != std::string::npos;
         at = text.find_first_not_of(" \n", text.find_first_of(" \n", at))) {
        out.push_back(std::strtod(text.c_str() + at, nullptr));
        if (text.find_first_of(" \n", at) == std::string::npos) break;
    }
    return out;
}

uint64_t count_open_files() {
    std::error_code error;
    uint64_t count = 0;
    for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
         at.increment(error)) {
        ++count;
    }
    // One of them is the folder itself.
    return count > 0 ? count - 1 : 0;
}

}  // namespace

std::optional<ProcessStatus> read_process_status(UnixSeconds now) {
    // The fields behind the name, of which the state is the first (number 3).
    const std::vector<double> stat = numbers_of("/proc/self/stat");
    const std::vector<double> uptime = numbers_of("/proc/uptime");
    const auto field = [&](size_t number) { return stat[number - 3]; };
    if (stat.size() < 22 || uptime.empty()) return std::nullopt;
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    ProcessStatus out;
    out.cpu_s = (field(14) + field(15)) / ticks;
    out.threads = static_cast<uint64_t>(field(20));
    // Once: clocks of whole seconds would have it move from scrape to scrape.
    static const double started_at = static_cast<double>(now) - (uptime[0] - field(22) / ticks);
    out.started_at = started_at;
    out.resident_bytes =
        static_cast<uint64_t>(field(24)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    out.open_files = count_open_files();
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) out.files_max = files.rlim_cur;
    return out;
}

}  // namespace teetee::api
