// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "hub/transfer.hpp"

namespace teetee::hub {

enum class DownloadPhase { fetching, checking };

/// How much of a long file is its beginning; the tables of most vocabularies fit.
constexpr uint64_t head_bytes = 16u << 20;

struct DownloadOptions {
    std::string url{};
    /// Where the file goes when it is whole and checked; until then it is PATH.part.
    std::string path{};
    /// What its bytes must hash to. Without it the SHA-256 is computed and told.
    std::optional<FileDigest> digest{};
    std::optional<uint64_t> bytes{};
    /// Of the hub's repository; "" where there is none. A redirect of another one is refused.
    std::string commit{};
    size_t connections = 4;
    ExplainStatus explain{};
    /// Looks into the beginning of a long file before the rest is fetched, so that nobody waits for
    /// what is no use; called where the server has ranges.
    std::function<Result<void>(const std::string& part_path, uint64_t head_bytes,
                               uint64_t file_bytes)>
        check_head{};
    /// Looks into the whole file before it gets its name.
    std::function<Result<void>(const std::string& part_path)> check{};
    std::function<void(DownloadPhase, uint64_t done, uint64_t total)> on_progress{};
    /// Called once with how much an earlier run has left, if anything.
    std::function<void(uint64_t done, uint64_t total)> on_resume{};
};

struct Downloaded {
    uint64_t bytes = 0;
    FileDigest digest{};
    /// Of it, came over the network now, and was there from an earlier run.
    uint64_t fetched_bytes = 0;
    uint64_t resumed_bytes = 0;
    /// Of the server's answer; "" where it has none, and where nothing was asked.
    std::string validator{};
    /// The file was there already, under its name and with the digest that is asked for.
    bool was_there = false;
};

/// Asks for the file's first byte, to learn what can be learnt. Errors: those of
/// Web::ask_patiently and of `explain`, hub_malformed.
Result<RemoteFile> probe(const Web& web, const std::string& url, const ExplainStatus& explain);

/// Fetches a file, or what is missing of it. Errors besides those of Transfer::run:
/// download_mismatch (digest or length; what came is removed), already_exists (another file has the
/// name, or another process fetches it), io_failed (also: not enough room), those of `check` (what
/// came is removed).
Result<Downloaded> download(const Web& web, const DownloadOptions& options);

}  // namespace teetee::hub
