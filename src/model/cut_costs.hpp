// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "model/cut_plan.hpp"
#include "model/gguf.hpp"
#include "model/kv_cache.hpp"

namespace teetee::model {

struct CostOptions {
    /// Of keys and values, of all sequences together.
    Position positions = 0;
    /// Of a batch: sequences that decode together.
    uint32_t rows = 1;
    /// As in ModelOptions.
    std::optional<KvType> kv_type{};
};

/// What the parts of a whole model take, by its index alone. Memory is what ShardModel::load takes:
/// packed matrices, pages of keys and values, and buffers for the largest batch. Of a mixture of
/// experts, a batch reads as many of each layer as its rows can name. What attention reads of keys
/// and values is not counted: it is the same in every layer.
/// Errors: those of hyperparameters_from, invalid_argument for a part of a model,
/// tensor_type_unsupported.
Result<ModelCosts> model_costs(const Gguf& gguf, const CostOptions& options);

}  // namespace teetee::model
