// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "base/result.hpp"
#include "model/hyperparameters.hpp"
#include "model/kv_cache.hpp"
#include "model/weights.hpp"
#include "tensor/kernels.hpp"
#include "tensor/thread_pool.hpp"

namespace teetee::model {

/// One position of one sequence in a batch.
struct DecoderRow {
    KvCache::Sequence* sequence = nullptr;
    Position position = 0;
};

/// The blocks of an architecture over a contiguous layer range: what differs between llama, gpt2,
/// qwen... Embedding and output head are shared code (ShardModel).
class Decoder {
  public:
    virtual ~Decoder() = default;

    /// hidden: (rows.size(), embedding_length), replaced by the output of the last layer. Rows of
    /// one sequence stand in order of position.
    virtual void forward(std::span<const DecoderRow> rows, float* hidden) = 0;
};

struct DecoderContext {
    const Hyperparameters& hyperparameters;
    LayerRange layers;
    const tensor::KernelSet& kernels;
    tensor::ThreadPool& pool;
};

/// Picks by hyperparameters.architecture. Errors: those of WeightLoader and load_rope;
/// architecture_unsupported.
Result<std::unique_ptr<Decoder>> load_decoder(const DecoderContext& context, WeightLoader& loader);

/// One architecture each, in the file of that name.
Result<std::unique_ptr<Decoder>> load_llama(const DecoderContext& context, WeightLoader& loader);
Result<std::unique_ptr<Decoder>> load_qwen2(const DecoderContext& context, WeightLoader& loader);
Result<std::unique_ptr<Decoder>> load_qwen3(const DecoderContext& context, WeightLoader& loader);
Result<std::unique_ptr<Decoder>> load_gemma2(const DecoderContext& context, WeightLoader& loader);
Result<std::unique_ptr<Decoder>> load_phi3(const DecoderContext& context, WeightLoader& loader);
Result<std::unique_ptr<Decoder>> load_gpt2(const DecoderContext& context, WeightLoader& loader);

}  // namespace teetee::model
