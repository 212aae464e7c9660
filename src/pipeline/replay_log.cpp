// SPDX-License-Identifier: Apache-2.0
#include "pipeline/replay_log.hpp"

#include "base/assert.hpp"

namespace teetee::pipeline {

void ReplayLog::add(const RequestId& request, Position position, ByteView row) {
    if (position == 0) forget(request);
    if (position > 0 && !covers(request, position)) return;
    if (bytes_ + row.size() > bytes_max_) return forget(request);
    Rows& rows = requests_[request];
    shorten(rows, position);
    bytes_ += row.size();
    rows.emplace_back(row.begin(), row.end());
}

void ReplayLog::rewind(const RequestId& request, Position end) {
    const auto found = requests_.find(request);
    if (found != requests_.end()) shorten(found->second, end);
}

void ReplayLog::forget(const RequestId& request) {
    rewind(request, 0);
    requests_.erase(request);
}

bool ReplayLog::covers(const RequestId& request, Position end) const {
    const auto found = requests_.find(request);
    return found != requests_.end() && found->second.size() >= end;
}

void ReplayLog::append_to(Bytes& out, const RequestId& request, Position position) const {
    TT_ASSERT(covers(request, position + 1));
    const crypto::SecretBytes& row = requests_.at(request)[position];
    out.insert(out.end(), row.begin(), row.end());
}

void ReplayLog::shorten(Rows& rows, size_t count) {
    for (size_t i = count; i < rows.size(); ++i) bytes_ -= rows[i].size();
    if (count < rows.size()) rows.resize(count);
}

}  // namespace teetee::pipeline
