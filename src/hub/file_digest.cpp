// SPDX-License-Identifier: Apache-2.0
#include "hub/file_digest.hpp"

#include <algorithm>
#include <utility>

#include "crypto/hash.hpp"

namespace teetee::hub {
namespace {

constexpr size_t step_bytes = 1u << 20;

Result<std::string> parse_hex_digits(std::string_view text, size_t digits) {
    const auto bytes = from_hex(text);
    if (!bytes || 2 * bytes->size() != digits || text.size() != digits) {
        return fail(ErrorCode::invalid_argument, "digest: have " + quote_foreign(text) + ", need " +
                                                     std::to_string(digits) + " hex digits");
    }
    return to_hex(*bytes);
}

template <class Hash>
Result<std::string> hash_all(Hash hash, const ByteSource& file, const HashOptions& options) {
    Bytes buffer(step_bytes);
    const uint64_t total = file.size_bytes();
    for (uint64_t at = 0; at < total;) {
        if (options.stop.stop_requested()) return fail(ErrorCode::cancelled, "while hashing");
        const auto piece = std::span(buffer).first(std::min<uint64_t>(step_bytes, total - at));
        TT_CHECK(file.read(at, piece));
        hash.update(piece);
        at += piece.size();
        if (options.progress) options.progress(at, total);
    }
    return to_hex(hash.finish());
}

}  // namespace

Result<FileDigest> parse_sha256(std::string_view text) {
    constexpr std::string_view prefix = "sha256:";
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
    TT_TRY(auto hex, parse_hex_digits(text, 64));
    return FileDigest{FileDigest::Kind::sha256, std::move(hex)};
}

Result<FileDigest> parse_git_blob(std::string_view text) {
    TT_TRY(auto hex, parse_hex_digits(text, 40));
    return FileDigest{FileDigest::Kind::git_blob, std::move(hex)};
}

Result<FileDigest> hash_file(const ByteSource& file, const HashOptions& options) {
    FileDigest out{.kind = options.kind};
    if (options.kind == FileDigest::Kind::sha256) {
        TT_TRY(out.hex, hash_all(crypto::Sha256(), file, options));
        return out;
    }
    crypto::Sha1 hash;
    const std::string head = "blob " + std::to_string(file.size_bytes());
    hash.update({reinterpret_cast<const uint8_t*>(head.c_str()), head.size() + 1});
    TT_TRY(out.hex, hash_all(std::move(hash), file, options));
    return out;
}

Result<void> ensure_same(const FileDigest& have, const FileDigest& need) {
    if (have == need) return {};
    const std::string name = need.kind == FileDigest::Kind::sha256 ? "SHA-256" : "git's SHA-1";
    return fail(ErrorCode::download_mismatch, name + ": have " + have.hex + ", need " + need.hex);
}

}  // namespace teetee::hub
