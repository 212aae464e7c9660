// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "hub/file_digest.hpp"

namespace teetee::hub {

/// Where a file came from that no hub has a digest of: one that was made of others, or that lay at
/// a plain URL. Stands beside it, so that the same pull finds it there.
struct SourceRecord {
    std::string source{};
    /// Of the source: a commit, an ETag; "" for none.
    std::string state{};
    FileDigest digest{};
    bool operator==(const SourceRecord&) const = default;
};

/// {"version":1,"source","state","sha256"}
std::string encode_source_record(const SourceRecord& record);
/// Errors: invalid_json, limit_exceeded.
Result<SourceRecord> parse_source_record(std::string_view text);

}  // namespace teetee::hub
