// SPDX-License-Identifier: Apache-2.0
#include "cli/model_file.hpp"

#include <thread>

#include "cli/progress.hpp"
#include "model/cut.hpp"
#include "model/shard.hpp"

namespace teetee::cli {
namespace {

/// Budget 0 is no limit.
Result<void> ensure_kv_fits(const model::KvShape& shape, Position positions, uint64_t budget) {
    const uint64_t pages =
        (uint64_t{positions} + tensor::page_positions - 1) / tensor::page_positions;
    const uint64_t need = pages * model::kv_page_bytes(shape);
    if (budget == 0 || need <= budget) return {};
    return fail(ErrorCode::kv_cache_full, "KV cache: have " + model::show_byte_count(budget) +
                                              " by --kv-memory, need " +
                                              model::show_byte_count(need) + " for " +
                                              std::to_string(positions) + " positions");
}

}  // namespace

Result<ModelFile> ModelFile::open(const std::string& path) {
    TT_TRY(auto mapping, net::MappedFile::open(path));
    auto kept = std::make_unique<net::MappedFile>(std::move(mapping));
    auto gguf = model::Gguf::parse(kept->view());
    if (!gguf) return in_context(path, std::move(gguf).error());
    TT_TRY(auto file, net::File::open(path));
    return ModelFile{std::move(kept), std::move(gguf).value(), std::move(file)};
}

Result<model::Tokenizer> ModelFile::tokenizer() const {
    TT_TRY(auto vocabulary, model::vocabulary_from(gguf));
    return model::Tokenizer::build(std::move(vocabulary));
}

void ComputeOptions::add_to(CLI::App& command) {
    command.add_option("--model", model, "GGUF file")->required()->envname("TEETEE_MODEL");
    command
        .add_option("--kernel", kernel,
                    "scalar, avx2, avx512, amx or auto (the best here): all give the same bits")
        ->capture_default_str()
        ->envname("TEETEE_KERNEL");
    command.add_option("--threads", threads, "Compute threads; 0 takes every core")
        ->capture_default_str()
        ->check(CLI::Range(0, 256));
    kv.add_to(command);
    weights_cache.add_to(command);
}

size_t ComputeOptions::thread_count() const {
    return threads != 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
}

Result<void> ensure_context(const model::Hyperparameters& hyperparameters, Position positions) {
    if (positions <= hyperparameters.context_length) return {};
    return fail(ErrorCode::context_exceeded, "have " + std::to_string(positions) +
                                                 " positions, the model's context is " +
                                                 std::to_string(hyperparameters.context_length));
}

Result<std::vector<std::unique_ptr<model::ShardModel>>> load_shards(const ModelFile& file,
                                                                    const ComputeOptions& options,
                                                                    size_t shard_count,
                                                                    Position kv_positions_max) {
    TT_TRY(const auto hyperparameters, model::hyperparameters_from(file.gguf));
    TT_TRY(const auto cut,
           model::even_cut(hyperparameters.layer_count, static_cast<uint32_t>(shard_count)));
    return load_shards(file, options, cut, kv_positions_max);
}

Result<std::vector<std::unique_ptr<model::ShardModel>>> load_shards(const ModelFile& file,
                                                                    const ComputeOptions& options,
                                                                    std::span<const LayerRange> cut,
                                                                    Position kv_positions_max) {
    TT_TRY(const auto kernels, tensor::kernels_named(options.kernel));
    model::ModelOptions shard_options;
    TT_TRY(shard_options.kv_type, options.kv.kv_type());
    TT_TRY(const auto kv_shape, model::kv_shape_of(file.gguf, shard_options));
    TT_TRY(const auto kv_budget, options.kv.bytes());
    TT_CHECK(ensure_kv_fits(kv_shape, kv_positions_max, kv_budget));
    std::vector<std::unique_ptr<model::ShardModel>> shards;
    for (const LayerRange& layers : cut) {
        shard_options.layers = layers;
        shard_options.kernels = kernels;
        shard_options.thread_count = options.thread_count();
        shard_options.kv_positions_max = kv_positions_max;
        shard_options.progress = progress_bar("loading");
        // Read, not taken from the mapping: its pages would count as memory of this process.
        shard_options.weights.file = &file.file;
        TT_TRY(auto shard, load_shard(file.file, file.gguf, shard_options, options.weights_cache));
        shards.push_back(std::move(shard));
    }
    return shards;
}

Result<LocalRoute> LocalRoute::load(const ModelFile& file, const ComputeOptions& options,
                                    size_t shard_count, Position kv_positions_max) {
    LocalRoute route;
    TT_TRY(route.shards_, load_shards(file, options, shard_count, kv_positions_max));
    return route;
}

Result<LocalRoute> LocalRoute::load(const ModelFile& file, const ComputeOptions& options,
                                    std::span<const LayerRange> cut, Position kv_positions_max) {
    LocalRoute route;
    TT_TRY(route.shards_, load_shards(file, options, cut, kv_positions_max));
    return route;
}

Result<void> LocalRoute::begin(Position positions) {
    TT_CHECK(ensure_context(hyperparameters(), positions));
    position_ = 0;
    for (auto& shard : shards_) {
        shard->cache().close(request_);
        TT_CHECK(shard->cache().open(request_, positions));
    }
    return {};
}

Result<std::vector<float>> LocalRoute::feed(std::span<const TokenId> tokens, Wanted wanted) {
    std::vector<model::BatchRow> rows;
    for (size_t i = 0; i < tokens.size(); ++i) rows.push_back({request_, position_++});
    const size_t width = shards_.front()->embedding_length();
    std::vector<float> hidden(tokens.size() * width);
    TT_CHECK(shards_.front()->embed(tokens, hidden.data()));
    if (observer_) observer_(0, hidden);
    for (auto& shard : shards_) {
        TT_CHECK(shard->forward(rows, hidden.data()));
        if (observer_) observer_(shard->layers().end, hidden);
        if (shard != shards_.back()) round_rows(hidden, width, format_);
    }
    const size_t row_count = wanted == Wanted::every_position ? tokens.size() : 1;
    std::vector<float> logits(row_count * vocabulary_size());
    shards_.back()->logits(hidden.data() + (tokens.size() - row_count) * width, row_count,
                           logits.data());
    return logits;
}

}  // namespace teetee::cli
