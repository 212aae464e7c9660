// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hub/file_digest.hpp"
#include "hub/range_set.hpp"

namespace teetee::hub {

/// What stands beside a part of a file, so that the download goes on where it was cut off: of
/// which file the part is, and which bytes of it are on the disk.
struct Journal {
    uint64_t bytes = 0;
    /// validator_of() of the server's answers; "" for none.
    std::string validator{};
    std::optional<FileDigest> digest{};
    RangeSet done{};

    /// The same file as far as can be told: same length and digest, or where no digest is known
    /// the same validator.
    bool is_of_same_file_as(const Journal& other) const;
};

/// {"version":1,"bytes","validator","digest","done":[[BEGIN,END],..]}
std::string encode_journal(const Journal& journal);
/// Strict: nobody else writes such. Errors: invalid_json, limit_exceeded.
Result<Journal> parse_journal(std::string_view text);

}  // namespace teetee::hub
