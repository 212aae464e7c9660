// SPDX-License-Identifier: Apache-2.0
#include "cli/evidence_file.hpp"

#include "net/file.hpp"

namespace teetee::cli {

Result<Bytes> read_evidence_file(const std::string& path, size_t bytes_max) {
    TT_TRY(Bytes content, net::read_file(path, 2 * bytes_max + 2));
    std::string_view text = as_text(content);
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    // No evidence is hex by chance: a quote begins with a zero byte among its first two.
    if (auto decoded = from_hex(text); decoded && !text.empty()) content = std::move(*decoded);
    if (content.size() > bytes_max) {
        return fail(ErrorCode::limit_exceeded, path + ": have " + std::to_string(content.size()) +
                                                   " bytes, need at most " +
                                                   std::to_string(bytes_max));
    }
    return content;
}

}  // namespace teetee::cli
