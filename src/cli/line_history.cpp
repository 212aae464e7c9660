// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/serialize.hpp>

#include "base/strict_json.hpp"
#include "cli/limits.hpp"
#include "cli/line_editor.hpp"

namespace teetee::cli {

Result<std::vector<std::string>> parse_history(std::string_view text) {
    if (text.size() > history_bytes_max)
        return fail(ErrorCode::limit_exceeded, "history: the file is too large");
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
        if (out.size() > history_lines_max)
            return fail(ErrorCode::limit_exceeded, "history: too many lines");
    }
    return out;
}

std::string encode_history(const std::vector<std::string>& lines) {
    std::string out;
    size_t count = 0;
    for (auto line = lines.rbegin(); line != lines.rend() && count < history_lines_max; ++line) {
        const std::string text =
            boost::json::serialize(boost::json::value(boost::json::string(*line))) + "\n";
        if (text.size() + out.size() > history_bytes_max) break;
        out.insert(0, text);
        ++count;
    }
    return out;
}

}  // namespace teetee::cli
