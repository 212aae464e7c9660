// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attest/evidence.hpp"
#include "base/request.hpp"
#include "base/storage.hpp"
#include "base/world.hpp"
#include "model/kv_budget.hpp"
#include "model/manifest.hpp"
#include "model/shard_model.hpp"
#include "model/tokenizer.hpp"
#include "pipeline/engine.hpp"

namespace teetee::node {

struct ShardOptions {
    std::string path{};
    std::string manifest_path{};
    std::string kernel = "auto";
    size_t threads = 1;
    /// Memory for keys and values of all requests together, and how they are kept.
    model::KvBudget kv_budget{};
    std::optional<model::KvType> kv_type{};
    /// Where packed weights are kept between starts; null: nowhere. It need not be trusted, and
    /// MUST outlive load().
    BlobStore* weights_cache = nullptr;
    model::Progress progress{};
};

/// The shard that a node serves, verified against the manifest byte by byte.
struct ServedShard {
    model::Manifest manifest{};
    /// Among the manifest's shards.
    size_t index = 0;
    LayerRange layers{};
    /// general.name as an identifier: lower case, words joined by '-'.
    std::string model_id{};
    /// Prompt and answer together; the KV cache may be smaller than the model's context.
    Position context_length = 0;
    /// Numbers in a hidden state.
    uint32_t embedding_length = 0;
    /// First and last shard only, as the next two.
    std::optional<model::Tokenizer> tokenizer{};
    std::vector<TokenId> stop_tokens{};
    size_t token_bytes_max = 0;
    std::unique_ptr<pipeline::StageEngine> engine{};

    /// With a cache, matrices that this program in this TEE has hashed and packed before come from
    /// there. Errors say which file, what it has, and what it needs.
    static Result<ServedShard> load(const ShardOptions& options, attest::EvidenceProvider& evidence,
                                    Log& log);
};

}  // namespace teetee::node
