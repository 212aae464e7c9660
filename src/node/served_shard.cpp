// SPDX-License-Identifier: Apache-2.0
#include "node/served_shard.hpp"

#include <algorithm>

#include "model/limits.hpp"
#include "net/file.hpp"
#include "node/engine_factory.hpp"
#include "node/shard_file.hpp"
#include "pipeline/entry.hpp"

namespace teetee::node {
namespace {

/// "TeeTee Story" -> "teetee-story".
std::string identifier(std::string_view name) {
    std::string id;
    for (const char c : name) {
        const bool is_upper = c >= 'A' && c <= 'Z';
        const bool is_word =
            is_upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
        if (is_word) {
            id.push_back(is_upper ? static_cast<char>(c - 'A' + 'a') : c);
        } else if (!id.empty() && id.back() != '-') {
            id.push_back('-');
        }
    }
    while (!id.empty() && id.back() == '-') id.pop_back();
    return id.empty() ? "model" : id;
}

Result<model::Manifest> load_manifest(const std::string& path) {
    TT_TRY(const auto bytes, net::read_file(path, model::manifest_bytes_max));
    auto manifest = model::parse_manifest(as_text(bytes));
    if (!manifest) return in_context(path, std::move(manifest).error());
    return manifest;
}

struct PackedStore {
    BlobStore* blobs;
    model::PackedCache::Identity contents;
};

Result<std::unique_ptr<model::ShardModel>> load_model(const model::Gguf& gguf,
                                                      model::ModelOptions model_options,
                                                      const PackedStore& store,
                                                      attest::EvidenceProvider& evidence,
                                                      Log& log) {
    if (store.blobs == nullptr) return model::ShardModel::load(gguf, model_options);
    auto key = evidence.sealing_key("teetee packed weights v1");
    if (!key) {
        log.warn("weights cache: off: " + key.error().message());
        return model::ShardModel::load(gguf, model_options);
    }
    model::PackedCache cache(*store.blobs, store.contents, std::move(key).value());
    model_options.cache = &cache;
    TT_TRY(auto shard, model::ShardModel::load(gguf, model_options));
    const auto kept = shard->keep_packed(cache);
    if (cache.rejection()) log.warn("weights cache: " + cache.rejection()->message());
    if (!kept) log.warn("weights cache: " + kept.error().message());
    if (cache.was_used()) {
        log.info("packed weights come from the cache, every byte verified");
    }
    return shard;
}

/// The tokenizer, and what follows from it.
Result<void> load_vocabulary(ServedShard& served, const model::Gguf& gguf,
                             const model::Hyperparameters& hyperparameters) {
    TT_TRY(auto vocabulary, model::vocabulary_from(gguf));
    const auto token_count = static_cast<TokenId>(vocabulary.tokens.size());
    TT_CHECK(model::ensure_fits(vocabulary, hyperparameters));
    for (const model::Token& token : vocabulary.tokens)
        served.token_bytes_max = std::max(served.token_bytes_max, token.text.size());
    TT_TRY(served.tokenizer, model::Tokenizer::build(std::move(vocabulary)));
    for (TokenId id = 0; id < token_count && served.stop_tokens.size() < pipeline::stop_tokens_max;
         ++id) {
        if (served.tokenizer->is_end_of_generation(id)) served.stop_tokens.push_back(id);
    }
    return {};
}

}  // namespace

Result<ServedShard> ServedShard::load(const ShardOptions& options,
                                      attest::EvidenceProvider& evidence, Log& log) {
    ServedShard served;
    TT_TRY(served.manifest, load_manifest(options.manifest_path));
    // Into private memory, not mapped: what has been hashed is what is packed, whatever happens to
    // the file meanwhile.
    TT_TRY(const auto file, ShardFile::open(options.path));
    TT_TRY(served.index, identify_shard(file.gguf, served.manifest));
    const model::ManifestShard& shard = served.manifest.shards[served.index];
    served.layers = shard.layers;

    model::ModelOptions model_options;
    TT_TRY(model_options.kernels, tensor::kernels_named(options.kernel));
    model_options.thread_count = options.threads;
    model_options.kv_type = options.kv_type;
    TT_TRY(const auto hyperparameters, model::hyperparameters_from(file.gguf));
    TT_TRY(const auto kv_shape, model::kv_shape_of(file.gguf, model_options));
    TT_TRY(const auto kv,
           model::plan_kv(kv_shape, hyperparameters.context_length, options.kv_budget));
    log.info("KV cache: " + std::to_string(kv.positions) + " positions, at most " +
             model::show_byte_count(kv.bytes));
    model_options.kv_positions_max = kv.positions;
    model_options.progress = options.progress;
    model_options.weights = {.file = &file.file, .manifest = &served.manifest};
    TT_TRY(auto model,
           load_model(file.gguf, model_options, {options.weights_cache, {shard.root, shard.layers}},
                      evidence, log));
    // What the file alone does not say, as the vocabulary's size, the loaded model does.
    const model::Hyperparameters& known = model->hyperparameters();
    served.context_length = std::min<Position>(known.context_length, kv.positions);
    served.embedding_length = known.embedding_length;
    served.model_id = identifier(known.name);
    const bool is_tail = served.layers.end == known.layer_count;
    if (served.layers.begin == 0 || is_tail) TT_CHECK(load_vocabulary(served, file.gguf, known));
    ModelEngine::Limits limits;
    limits.positions_max = kv.positions;
    served.engine = make_engine(
        std::move(model), limits,
        is_tail ? model::ConstraintVocabulary::build(*served.tokenizer, served.stop_tokens)
                : nullptr);
    return served;
}

}  // namespace teetee::node
