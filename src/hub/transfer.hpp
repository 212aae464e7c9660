// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "hub/part_file.hpp"
#include "hub/web.hpp"

namespace teetee::hub {

/// What a server says of a file before it is fetched.
struct RemoteFile {
    /// nullopt where the server does not say.
    std::optional<uint64_t> bytes{};
    /// validator_of() of its answers; "" for none.
    std::string validator{};
    /// It gives parts of the file.
    bool has_ranges = false;
    /// What the hub said of it (WebAnswer::linked); "" for no commit.
    std::optional<FileDigest> linked_digest{};
    std::optional<uint64_t> linked_bytes{};
    std::string linked_commit{};
};

/// What a status that will not pass means to who asked.
using ExplainStatus = std::function<Error(int status, const net::HttpHeaders& headers)>;

struct TransferOptions {
    std::string url{};
    RemoteFile remote{};
    /// A digest tells damage at the end: then a length need not be known beforehand.
    std::optional<FileDigest> digest{};
    size_t connections = 4;
    /// Only so much of the beginning, of a server that has ranges.
    uint64_t end = file_bytes_max;
    /// How long a file may become whose length is not known: as there is room.
    uint64_t bytes_max = file_bytes_max;
    uint64_t piece_bytes_min = 1u << 20;
    uint64_t piece_bytes_max = 64u << 20;
    /// How often the journal is kept.
    Duration keep_time = std::chrono::seconds(1);
    ExplainStatus explain{};
    /// On the calling thread, some ten times a second. `total` is 0 where it is not known.
    std::function<void(uint64_t done, uint64_t total)> on_progress{};
};

/// Fetches what is missing of a file over several connections at a time, one range of it after the
/// other on each. Every request begins at the hub and is sent on by it, so that signed addresses,
/// which run out, are always fresh.
class Transfer {
  public:
    /// `done`: what is in the part already.
    Transfer(const Web& web, const PartFile& part, TransferOptions options, RangeSet done);

    /// Blocks until all that is wanted is there; whatever comes of it, the journal says what
    /// is. Errors: download_changed (parts of two files), cancelled, io_failed,
    /// rate_limited, hub_unavailable, http_malformed, those of `explain`.
    Result<void> run();

    const RangeSet& done() const { return done_; }
    /// Bytes that came over the network.
    uint64_t fetched_bytes() const { return fetched_bytes_; }

  private:
    void work();
    std::optional<ByteRange> take_piece();
    /// Moves left.begin on with the bytes that come.
    std::optional<Failure> fetch(ByteRange& left);
    std::optional<Failure> judge(const WebRequest& request, const WebAnswer& answer,
                                 ByteRange& left);
    std::optional<Failure> judge_part(const net::HttpHeaders& headers, ByteRange& left);
    std::optional<Failure> judge_whole(const net::HttpHeaders& headers, ByteRange& left);
    Failure no_room() const;
    std::optional<Failure> store(ByteRange& left, std::string_view chunk);
    void end_with(Error error);
    void wait_for_turn();
    void delay_all(Duration pause);
    Result<void> watch();
    Result<void> keep();

    const Web& web_;
    const PartFile& part_;
    TransferOptions options_;
    std::stop_source stop_;

    std::mutex mutex_;
    std::condition_variable changed_;
    RangeSet done_;
    std::deque<ByteRange> pieces_;
    std::optional<Error> error_;
    size_t working_ = 0;
    uint64_t fetched_bytes_ = 0;
    Instant not_before_{};
};

}  // namespace teetee::hub
