// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/storage.hpp"

namespace teetee::hub {

/// What a hub says that a file's bytes hash to.
struct FileDigest {
    enum class Kind {
        sha256,
        /// As git names a file: SHA-1 over "blob LENGTH\0" and the bytes. Guards against damage;
        /// against a forger only as far as SHA-1 does.
        git_blob,
    };
    Kind kind = Kind::sha256;
    /// Lower-case hex.
    std::string hex{};
    bool operator==(const FileDigest&) const = default;
};

/// 64 hex digits, in either case, with "sha256:" before them or without. Error: invalid_argument.
Result<FileDigest> parse_sha256(std::string_view text);
/// 40 hex digits. Error: invalid_argument.
Result<FileDigest> parse_git_blob(std::string_view text);

/// What a file's bytes hash to. `progress` may be empty; errors: those of the source, cancelled.
struct HashOptions {
    FileDigest::Kind kind = FileDigest::Kind::sha256;
    std::function<void(uint64_t done, uint64_t total)> progress{};
    std::stop_token stop{};
};
Result<FileDigest> hash_file(const ByteSource& file, const HashOptions& options);

/// Error: download_mismatch naming both.
Result<void> ensure_same(const FileDigest& have, const FileDigest& need);

}  // namespace teetee::hub
