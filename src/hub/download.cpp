// SPDX-License-Identifier: Apache-2.0
#include "hub/download.hpp"

#include <filesystem>

#include "base/ascii.hpp"
#include "hub/headers.hpp"

namespace teetee::hub {
namespace {

/// A file that changes while it is fetched is begun anew, but not for ever.
constexpr int beginnings_max = 3;
/// Of a file so small nothing needs to be learnt first.
constexpr uint64_t small_bytes_max = 1u << 20;
/// More than what is fetched needs, for whatever else uses the disk.
constexpr uint64_t free_bytes_margin = 16u << 20;

Error too_long() {
    return fail(ErrorCode::limit_exceeded,
                "the file is longer than " + std::to_string(file_bytes_max) + " bytes");
}

Result<FileDigest> hash_path(const DownloadOptions& options, const std::string& path,
                             const std::stop_token& stop) {
    TT_TRY(const auto file, net::File::open(path));
    HashOptions hash;
    if (options.digest) hash.kind = options.digest->kind;
    hash.stop = stop;
    if (options.on_progress) {
        hash.progress = [&options](uint64_t done, uint64_t total) {
            options.on_progress(DownloadPhase::checking, done, total);
        };
    }
    return hash_file(file, hash);
}

/// The file that has the name already, if it is the one that is asked for.
Result<std::optional<Downloaded>> find_existing(const DownloadOptions& options,
                                                const std::stop_token& stop) {
    std::error_code failed;
    if (!std::filesystem::exists(options.path, failed)) return std::optional<Downloaded>();
    const auto another = [&](const std::string& why) {
        return fail(ErrorCode::already_exists,
                    options.path + " exists" + why + "; remove it or name another with --out");
    };
    if (!options.digest) return another(", and nothing says whether it is this file");
    TT_TRY(const auto digest, hash_path(options, options.path, stop));
    if (digest != *options.digest) return another(" and is another file");
    const uint64_t bytes = std::filesystem::file_size(options.path, failed);
    return std::optional(Downloaded{.bytes = bytes, .digest = digest, .was_there = true});
}

/// What is asked for is small and will be checked by its digest: no question before.
bool is_simple(const DownloadOptions& options) {
    return options.bytes && options.digest && *options.bytes <= small_bytes_max;
}

class Download {
  public:
    Download(const Web& web, const DownloadOptions& options, const PartFile& part)
        : web_(web), options_(options), part_(part) {}

    Result<Downloaded> run() {
        for (int beginnings = 1;; ++beginnings) {
            auto bytes = fetch();
            if (bytes) return finish(*bytes);
            if (bytes.error().code != ErrorCode::download_changed || beginnings == beginnings_max) {
                return std::move(bytes).error();
            }
            TT_CHECK(part_.clear());
        }
    }

  private:
    Result<uint64_t> fetch() {
        RemoteFile remote{.bytes = options_.bytes};
        digest_ = options_.digest;
        if (!is_simple(options_)) {
            TT_TRY(remote, probe(web_, options_.url, options_.explain));
            TT_CHECK(check_promise(remote));
            // A server that does not say how long the file is is held to what the hub said.
            if (!remote.bytes) remote.bytes = options_.bytes ? options_.bytes : remote.linked_bytes;
        }
        if (!digest_) digest_ = remote.linked_digest;
        validator_ = remote.validator;
        // Parts of what may be two files are never joined.
        if (!digest_ && remote.validator.empty()) remote.has_ranges = false;
        TT_TRY(RangeSet done, resume(remote));
        resumed_bytes_ = done.bytes();
        if (remote.bytes) TT_CHECK(ensure_room(*remote.bytes - done.bytes()));
        bytes_max_ = room();
        if (options_.check_head && remote.has_ranges && *remote.bytes > 2 * head_bytes) {
            TT_TRY(done, fetch_until(head_bytes, remote, std::move(done)));
            auto good = options_.check_head(part_.part_path(), head_bytes, *remote.bytes);
            if (!good) return refuse(std::move(good).error());
        }
        auto all = fetch_until(file_bytes_max, remote, std::move(done));
        if (!all) return std::move(all).error();
        return remote.bytes ? *remote.bytes : all->bytes();
    }

    /// What is there then.
    Result<RangeSet> fetch_until(uint64_t end, const RemoteFile& remote, RangeSet done) {
        TransferOptions transfer_options = {.url = options_.url,
                                            .remote = remote,
                                            .digest = digest_,
                                            .connections = options_.connections,
                                            .end = end,
                                            .bytes_max = bytes_max_,
                                            .explain = options_.explain};
        if (options_.on_progress) {
            transfer_options.on_progress = [this](uint64_t now, uint64_t total) {
                options_.on_progress(DownloadPhase::fetching, now, total);
            };
        }
        Transfer transfer(web_, part_, std::move(transfer_options), std::move(done));
        const auto outcome = transfer.run();
        fetched_bytes_ += transfer.fetched_bytes();
        if (!outcome) return outcome.error();
        return transfer.done();
    }

    /// Length, commit and digest by the word of server and redirect, beside what the hub's list
    /// says.
    Result<void> check_promise(const RemoteFile& remote) const {
        const auto ensure_same_bytes = [](const auto& have, const auto& need,
                                          const std::string& whose) -> Result<void> {
            if (!have || !need || *have == *need) return {};
            return fail(ErrorCode::download_mismatch, whose + ": have " + std::to_string(*have) +
                                                          " bytes, need " + std::to_string(*need));
        };
        TT_CHECK(ensure_same_bytes(remote.bytes, options_.bytes,
                                   "the length at the server and in the hub's list"));
        TT_CHECK(ensure_same_bytes(remote.linked_bytes, options_.bytes,
                                   "the length in the hub's redirect and in its list"));
        TT_CHECK(ensure_same_bytes(remote.bytes, remote.linked_bytes,
                                   "the length at the server and in the hub's redirect"));
        if (!options_.commit.empty() && !remote.linked_commit.empty() &&
            remote.linked_commit != options_.commit) {
            return fail(ErrorCode::download_mismatch, "the hub's redirect is of commit " +
                                                          quote_foreign(remote.linked_commit) +
                                                          ", need " + options_.commit);
        }
        if (options_.digest && remote.linked_digest &&
            options_.digest->kind == FileDigest::Kind::sha256) {
            return ensure_same(*remote.linked_digest, *options_.digest);
        }
        return {};
    }

    /// What an earlier run has left of the same file; else the part begins empty.
    Result<RangeSet> resume(const RemoteFile& remote) {
        const auto left = part_.read_journal();
        if (left && remote.has_ranges) {
            const Journal now{
                .bytes = *remote.bytes, .validator = remote.validator, .digest = digest_};
            if (left->is_of_same_file_as(now)) {
                if (options_.on_resume) options_.on_resume(left->done.bytes(), now.bytes);
                return left->done;
            }
        }
        TT_CHECK(part_.clear());
        return RangeSet();
    }

    /// For a file whose length nobody says.
    uint64_t room() const {
        const auto free = part_.free_bytes();
        if (!free) return file_bytes_max;
        return std::min(file_bytes_max, *free - std::min(*free, free_bytes_margin));
    }

    Result<void> ensure_room(uint64_t missing_bytes) const {
        const auto free = part_.free_bytes();
        if (!free || *free >= missing_bytes + free_bytes_margin) return {};
        return fail(ErrorCode::io_failed, part_.part_path() + ": have " + std::to_string(*free) +
                                              " bytes free on this disk, need " +
                                              std::to_string(missing_bytes + free_bytes_margin) +
                                              "; make room or name another place with --out");
    }

    Result<Downloaded> finish(uint64_t bytes) {
        TT_CHECK(part_.set_bytes(bytes));
        TT_TRY(auto digest, hash_path(options_, part_.part_path(), web_.options().stop));
        if (digest_ && digest.kind == digest_->kind) {
            if (auto same = ensure_same(digest, *digest_); !same) return refuse(same.error());
        }
        if (options_.check) {
            if (auto good = options_.check(part_.part_path()); !good) return refuse(good.error());
        }
        TT_CHECK(part_.publish());
        return Downloaded{.bytes = bytes,
                          .digest = std::move(digest),
                          .fetched_bytes = fetched_bytes_,
                          .resumed_bytes = resumed_bytes_,
                          .validator = validator_};
    }

    Error refuse(Error error) const {
        part_.discard();
        error.detail += "; what came was removed";
        return error;
    }

    const Web& web_;
    const DownloadOptions& options_;
    const PartFile& part_;
    std::optional<FileDigest> digest_;
    std::string validator_;
    uint64_t bytes_max_ = file_bytes_max;
    uint64_t resumed_bytes_ = 0;
    uint64_t fetched_bytes_ = 0;
};

}  // namespace

Result<RemoteFile> probe(const Web& web, const std::string& url, const ExplainStatus& explain) {
    WebRequest request{.url = url, .headers = {{"range", "bytes=0-0"}}};
    // All that counts is in the header; a server without ranges would send the whole file.
    request.body_bytes_max = file_bytes_max;
    request.on_header = [](const WebAnswer&) { return false; };
    TT_TRY(const auto answer, web.ask_patiently(request));
    RemoteFile out;
    out.validator = validator_of(answer.headers);
    if (const auto digest = parse_sha256(bare_etag(field(answer.linked, "x-linked-etag")))) {
        out.linked_digest = *digest;
    }
    out.linked_bytes = parse_decimal(field(answer.linked, "x-linked-size"));
    out.linked_commit = field(answer.linked, "x-repo-commit");
    if (answer.status == 206) {
        TT_TRY(const auto part, parse_content_range(field(answer.headers, "content-range")));
        out.bytes = part.total;
        out.has_ranges = part.total && part.range == ByteRange{0, 1};
    } else if (answer.status == 416) {
        // Of an empty file there is no first byte.
        const auto bytes = parse_unsatisfied_range(field(answer.headers, "content-range"));
        if (bytes != 0) return failure_of_status(416, answer.headers, 0).error;
        out.bytes = 0;
        out.has_ranges = true;
    } else if (answer.status == 200) {
        const auto text = field(answer.headers, "content-length");
        out.bytes = parse_decimal(text);
        if (!text.empty() && !out.bytes) return too_long();
    } else {
        return explain ? explain(answer.status, answer.headers)
                       : failure_of_status(answer.status, answer.headers, 0).error;
    }
    for (const auto& bytes : {out.bytes, out.linked_bytes}) {
        if (bytes && *bytes > file_bytes_max) return too_long();
    }
    return out;
}

Result<Downloaded> download(const Web& web, const DownloadOptions& options) {
    TT_TRY(auto existing, find_existing(options, web.options().stop));
    if (existing) return std::move(*existing);
    TT_TRY(const auto part, PartFile::open(options.path));
    auto downloaded = Download(web, options, part).run();
    if (downloaded) return downloaded;
    part.discard_if_empty();
    // What stands behind the question mark may be what opens the file.
    return in_context(options.url.substr(0, options.url.find('?')), std::move(downloaded).error());
}

}  // namespace teetee::hub
