// SPDX-License-Identifier: Apache-2.0
#include "cli/line_history.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>

#include "base/bytes.hpp"
#include "base/strict_json.hpp"
#include "cli/limits.hpp"
#include "net/file.hpp"
#include "net/file_update.hpp"

namespace teetee::cli {
namespace {

std::string encode_line(const std::string& line) {
    return boost::json::serialize(boost::json::value(boost::json::string(line))) + "\n";
}

/// Whole lines of the end of a text.
std::string_view newest(std::string_view text) {
    if (text.size() <= history_bytes_max) return text;
    const bool is_cut = text[text.size() - history_bytes_max - 1] != '\n';
    text.remove_prefix(text.size() - history_bytes_max);
    if (is_cut) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    return text;
}

Error system_error(const std::string& path, const char* action) {
    return fail(ErrorCode::io_failed, path + ": cannot " + action + ": " + std::strerror(errno));
}

}  // namespace

Result<std::vector<std::string>> parse_history(std::string_view text) {
    text = newest(text);
    std::vector<std::string> out;
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        const auto value = parse_strict_json(text.substr(0, end), {history_bytes_max, 1});
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!value || !value->is_string()) {
            return fail(ErrorCode::config_invalid,
                        "history: line " + std::to_string(out.size() + 1) + " is no JSON text");
        }
        out.emplace_back(value->get_string());
    }
    if (out.size() > history_lines_max)
        out.erase(out.begin(), out.end() - static_cast<ptrdiff_t>(history_lines_max));
    return out;
}

std::string encode_history(const std::vector<std::string>& lines) {
    std::string out;
    size_t count = 0;
    for (auto line = lines.rbegin(); line != lines.rend() && count < history_lines_max; ++line) {
        const std::string text = encode_line(*line);
        if (text.size() + out.size() > history_bytes_max) break;
        out.insert(0, text);
        ++count;
    }
    return out;
}

Result<std::vector<std::string>> load_history(const std::string& path) {
    // Nothing is added while the file is replaced.
    TT_TRY(const auto lock, net::FolderLock::take(path));
    const auto file = net::File::open(path);
    if (!file && file.error().code == ErrorCode::not_found) return std::vector<std::string>();
    if (!file) return file.error();
    // A byte more, to see whether the first line is a whole one.
    const uint64_t bytes = std::min<uint64_t>(file->size_bytes(), history_bytes_max + 1);
    Bytes text(static_cast<size_t>(bytes));
    TT_CHECK(file->read(file->size_bytes() - bytes, text));
    auto lines = parse_history(as_text(text));
    if (!lines) return in_context(path, std::move(lines).error());
    const auto count = static_cast<size_t>(std::ranges::count(text, uint8_t{'\n'}));
    if (bytes > history_bytes_max || count > history_lines_max)
        TT_CHECK(net::write_file_atomic(path, as_bytes(encode_history(*lines)), {.mode = 0600}));
    return lines;
}

Result<void> append_history(const std::string& path, const std::string& line) {
    TT_TRY(const auto lock, net::FolderLock::take(path));
    const net::Descriptor file(
        ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600));
    struct stat before {};
    if (file.number() < 0 || ::fstat(file.number(), &before) != 0)
        return system_error(path, "open");
    if (!S_ISREG(before.st_mode)) return fail(ErrorCode::io_failed, path + ": not a regular file");
    static_cast<void>(::fchmod(file.number(), 0600));
    const std::string text = encode_line(line);
    const ssize_t written = ::write(file.number(), text.data(), text.size());
    if (written == static_cast<ssize_t>(text.size())) return {};
    const Error failed = system_error(path, "write all of a line to");
    // Half a line would spoil the next one.
    if (written > 0) static_cast<void>(!::ftruncate(file.number(), before.st_size));
    return failed;
}

}  // namespace teetee::cli
