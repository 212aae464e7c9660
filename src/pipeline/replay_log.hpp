// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/bytes.hpp"
#include "base/request.hpp"
#include "crypto/secret.hpp"

namespace teetee::pipeline {

/// The rows that a node has sent on of each request, so that another node that takes the next one's
/// place can have them again. Within a budget: what does not fit is not noted, and has to be
/// computed again should it be needed. Rows say much of the prompt: they are wiped when they go.
class ReplayLog {
  public:
    explicit ReplayLog(uint64_t bytes_max) : bytes_max_(bytes_max) {}

    /// The row at this position, which is noted if all before it are. Where the budget is used up,
    /// all of the request is forgotten.
    void add(const RequestId& request, Position position, ByteView row);
    /// Forgets the rows from `end` on.
    void rewind(const RequestId& request, Position end);
    void forget(const RequestId& request);

    /// All rows before `end` are there.
    bool covers(const RequestId& request, Position end) const;
    /// Appends the row's bytes; it MUST be there.
    void append_to(Bytes& out, const RequestId& request, Position position) const;

    uint64_t bytes() const { return bytes_; }

  private:
    using Rows = std::vector<crypto::SecretBytes>;
    void shorten(Rows& rows, size_t count);

    uint64_t bytes_max_;
    uint64_t bytes_ = 0;
    std::map<RequestId, Rows> requests_;
};

}  // namespace teetee::pipeline
