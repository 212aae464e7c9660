// SPDX-License-Identifier: Apache-2.0
#include "pipeline/batch.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/assert.hpp"

namespace teetee::pipeline {
namespace {

Result<wire::Message> tokens_of(const std::vector<wire::ForwardRow>& rows, ComputeResult& result) {
    wire::Tokens message{.batch_id = result.batch_id};
    for (const wire::ForwardRow& row : rows) {
        if (!row.wants_token) continue;
        const size_t at = message.rows.size();
        if (at == result.tokens.size() || result.tokens[at].request != row.request ||
            result.tokens[at].position != row.position) {
            return fail(ErrorCode::internal, "engine: tokens are not those of the rows");
        }
        message.rows.push_back({row.request, row.epoch, row.position, result.tokens[at].token,
                                std::move(result.tokens[at].logprobs),
                                std::move(result.tokens[at].embedding)});
    }
    if (message.rows.size() != result.tokens.size()) {
        return fail(ErrorCode::internal, "engine: more tokens than rows that want one");
    }
    return wire::Message(std::move(message));
}

}  // namespace

std::vector<EngineRow> engine_rows(const std::vector<wire::ForwardRow>& rows) {
    std::vector<EngineRow> out;
    out.reserve(rows.size());
    for (const auto& row : rows) {
        out.push_back({row.request, row.position, row.wants_token, row.token});
    }
    return out;
}

void keep_rows(wire::Forward& batch, const std::vector<bool>& keep) {
    TT_ASSERT(keep.size() == batch.rows.size());
    const size_t row_bytes = batch.row_bytes();
    size_t kept = 0;
    for (size_t i = 0; i < keep.size(); ++i) {
        if (!keep[i]) continue;
        if (kept != i) {
            batch.rows[kept] = batch.rows[i];
            const auto from = batch.activations.begin() + static_cast<ptrdiff_t>(i * row_bytes);
            std::copy(from, from + static_cast<ptrdiff_t>(row_bytes),
                      batch.activations.begin() + static_cast<ptrdiff_t>(kept * row_bytes));
        }
        ++kept;
    }
    batch.rows.resize(kept);
    batch.activations.resize(kept * row_bytes);
}

Result<wire::Message> message_of(std::vector<wire::ForwardRow> rows, ComputeResult result,
                                 const EngineLimits& limits, ActivationFormat format) {
    std::set<RequestId> failed;
    for (const SequenceFailure& failure : result.failures) failed.insert(failure.request);
    std::erase_if(rows, [&](const auto& row) { return failed.contains(row.request); });
    if (limits.is_tail()) return tokens_of(rows, result);
    const uint64_t need = uint64_t{4} * rows.size() * limits.width;
    if (result.activations.size() != need) {
        return fail(ErrorCode::internal, "engine: have " +
                                             std::to_string(result.activations.size()) +
                                             " bytes of activations, need " + std::to_string(need));
    }
    return wire::Message(wire::Forward{
        .batch_id = result.batch_id,
        .rows = std::move(rows),
        .width = limits.width,
        .activations = encode_rows(std::move(result.activations), limits.width, format),
        .format = format});
}

wire::Message empty_message(uint64_t batch_id, const EngineLimits& limits) {
    if (limits.is_tail()) return wire::Tokens{.batch_id = batch_id};
    return wire::Forward{.batch_id = batch_id, .width = limits.width};
}

}  // namespace teetee::pipeline
