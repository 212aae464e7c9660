// SPDX-License-Identifier: Apache-2.0
#include "cli/evidence_file.hpp"

#include "net/file.hpp"

namespace teetee::cli {
namespace {

constexpr size_t root_file_bytes_max = 64 << 10;

}  // namespace

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

Result<attest::TrustedRoots> read_root_file(const std::string& path) {
    TT_TRY(const Bytes pem, net::read_file(path, root_file_bytes_max));
    attest::TrustedRoots roots;
    // The caller's file, not the evidence, is what is wrong.
    if (const auto added = roots.add_pem(as_text(pem)); !added) {
        return fail(ErrorCode::config_invalid, path + ": " + added.error().message());
    }
    return roots;
}

}  // namespace teetee::cli
