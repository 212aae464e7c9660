// SPDX-License-Identifier: Apache-2.0
#include "cli/local_batch.hpp"

#include <algorithm>

namespace teetee::cli {
namespace {

RequestId request_of(size_t stream) {
    RequestId request{};
    request.bytes[0] = static_cast<uint8_t>(stream);
    request.bytes[1] = static_cast<uint8_t>(stream >> 8);
    return request;
}

}  // namespace

Result<LocalBatch> LocalBatch::load(const ModelFile& file, const ComputeOptions& options,
                                    size_t shard_count, Size size) {
    TT_TRY(const auto hyperparameters, model::hyperparameters_from(file.gguf));
    TT_CHECK(ensure_context(hyperparameters, size.positions));
    LocalBatch batch;
    constexpr auto page = static_cast<Position>(tensor::page_positions);
    const Position each = (size.positions + page - 1) / page * page;
    const auto positions = static_cast<Position>(each * size.streams);
    TT_TRY(batch.shards_, load_shards(file, options, shard_count, positions));
    for (const auto& shard : batch.shards_)
        batch.kv_bytes_ += positions * model::kv_bytes_per_position(shard->cache().shape());
    return batch;
}

Result<void> LocalBatch::begin(size_t streams, Position positions) {
    for (auto& shard : shards_) {
        for (size_t i = 0; i < lengths_.size(); ++i) shard->cache().close(request_of(i));
        for (size_t i = 0; i < streams; ++i)
            TT_CHECK(shard->cache().open(request_of(i), positions));
    }
    lengths_.assign(streams, 0);
    return {};
}

Result<void> LocalBatch::forward(std::span<const model::BatchRow> rows,
                                 std::span<const TokenId> tokens) {
    hidden_.resize(rows.size() * shards_.front()->embedding_length());
    TT_CHECK(shards_.front()->embed(tokens, hidden_.data()));
    for (auto& shard : shards_) TT_CHECK(shard->forward(rows, hidden_.data()));
    return {};
}

std::span<const float> LocalBatch::logits(size_t first_row, size_t row_count) {
    logits_.resize(row_count * vocabulary_size());
    shards_.back()->logits(hidden_.data() + first_row * shards_.back()->embedding_length(),
                           row_count, logits_.data());
    return logits_;
}

Result<std::span<const float>> LocalBatch::feed(size_t stream, std::span<const TokenId> tokens) {
    size_t row_count = 0;
    for (; !tokens.empty(); tokens = tokens.subspan(row_count)) {
        row_count = std::min(chunk_rows, tokens.size());
        std::vector<model::BatchRow> rows;
        for (size_t i = 0; i < row_count; ++i)
            rows.push_back({request_of(stream), lengths_[stream]++});
        TT_CHECK(forward(rows, tokens.first(row_count)));
    }
    return logits(row_count - 1, 1);
}

Result<std::span<const float>> LocalBatch::step(std::span<const TokenId> tokens) {
    std::vector<model::BatchRow> rows;
    for (size_t i = 0; i < tokens.size(); ++i) rows.push_back({request_of(i), lengths_[i]++});
    TT_CHECK(forward(rows, tokens));
    return logits(0, tokens.size());
}

}  // namespace teetee::cli
