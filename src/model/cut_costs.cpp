// SPDX-License-Identifier: Apache-2.0
#include "model/cut_costs.hpp"

#include <algorithm>

#include "model/cut.hpp"
#include "model/hyperparameters.hpp"
#include "model/shard_model.hpp"

namespace teetee::model {
namespace {

/// Rows of the largest batch that a node computes at once.
constexpr uint64_t rows_at_once = 512;
/// The program, its threads, the tokenizer and links.
constexpr uint64_t program_bytes = 48 << 20;

/// How much of a tensor a batch uses: every expert of a few, or all.
struct Use {
    uint64_t rows = 1;
    uint64_t expert_count = 1;
    uint64_t used_count = 1;

    uint64_t read(uint64_t bytes) const {
        return bytes / expert_count * std::min(expert_count, rows * used_count);
    }
    uint64_t multiplied(uint64_t elements) const {
        return elements / expert_count * used_count * rows;
    }
};

uint64_t element_count(const GgufTensor& tensor) {
    uint64_t count = 1;
    for (const uint64_t dimension : tensor.dimensions) count *= dimension;
    return count;
}

/// A matrix, or several of one shape, packed; a vector is kept as floats.
PartCost cost_of(const GgufTensor& tensor, const Use& use) {
    PartCost cost;
    cost.read_bytes = use.read(tensor.bytes);
    if (tensor.dimensions.size() < 2) {
        cost.weight_bytes = 4 * element_count(tensor);
        return cost;
    }
    const uint64_t matrix_elements = tensor.dimensions[0] * tensor.dimensions[1];
    const uint64_t elements = element_count(tensor);
    cost.weight_bytes =
        elements / matrix_elements *
        tensor::packed_bytes(tensor.type, tensor.dimensions[1], tensor.dimensions[0]);
    cost.multiply_adds = use.multiplied(elements);
    return cost;
}

/// A table is kept as the file has it; a batch looks up a few of its rows.
PartCost cost_of_table(const GgufTensor& tensor) {
    return {.weight_bytes = tensor.bytes};
}

/// Of a node, whichever layers it has: the largest batch passes through these buffers.
uint64_t work_bytes_of(const Hyperparameters& h) {
    const uint64_t widths = 4 * uint64_t{h.embedding_length} + 2 * h.query_length() +
                            2 * h.kv_length() +
                            2 * std::max(h.feed_forward_length, h.experts.feed_forward_length);
    return program_bytes + rows_at_once * widths * sizeof(float);
}

Result<void> ensure_computable(const GgufTensor& tensor) {
    if (tensor::is_computable(tensor.type)) return {};
    return fail(ErrorCode::tensor_type_unsupported,
                quote_foreign(tensor.name) + ": " + std::string(tensor::to_string(tensor.type)));
}

class CostSheet {
  public:
    CostSheet(const Gguf& gguf, const Hyperparameters& h, const CostOptions& options)
        : is_tied_(gguf.find_tensor("output.weight") == nullptr), use_{.rows = options.rows} {
        costs_.layers.resize(h.layer_count);
        costs_.every.work_bytes = work_bytes_of(h);
        // Logits of every row.
        costs_.tail.work_bytes = uint64_t{options.rows} * h.vocabulary_size * sizeof(float);
        expert_use_ = {options.rows, std::max(1u, h.experts.count),
                       std::max(1u, h.experts.used_count)};
    }

    void add(const GgufTensor& tensor) {
        if (tensor.name == "token_embd.weight") return add_embedding(tensor);
        if (tensor.name == "position_embd.weight") {
            costs_.entry += cost_of_table(tensor);
            return;
        }
        const bool is_of_experts = tensor.name.find("_exps.") != std::string_view::npos;
        const PartCost cost = cost_of(tensor, is_of_experts ? expert_use_ : use_);
        if (const auto layer = layer_of(tensor.name)) {
            if (*layer < costs_.layer_count()) costs_.layers[*layer] += cost;
        } else if (tensor.name.starts_with("output")) {
            costs_.tail += cost;
        } else {
            costs_.every += cost;
        }
    }

    void add_kv(const KvShape& shape, Position positions) {
        const uint64_t pages =
            (uint64_t{positions} + tensor::page_positions - 1) / tensor::page_positions;
        for (size_t layer = 0; layer < costs_.layers.size(); ++layer) {
            costs_.layers[layer].kv_bytes =
                pages * kv_page_bytes({{shape.layers[layer]}, shape.kv_head_count, shape.head_dim});
        }
    }

    ModelCosts take() { return std::move(costs_); }

  private:
    void add_embedding(const GgufTensor& tensor) {
        costs_.entry += cost_of_table(tensor);
        if (!is_tied_) return;
        costs_.tail += cost_of(tensor, use_);
        if (tensor::packing_keeps_elements(tensor.type, tensor.dimensions[0]))
            costs_.shared_bytes = tensor.bytes;
    }

    bool is_tied_;
    Use use_;
    Use expert_use_;
    ModelCosts costs_;
};

}  // namespace

Result<ModelCosts> model_costs(const Gguf& gguf, const CostOptions& options) {
    TT_TRY(const auto hyperparameters, hyperparameters_from(gguf));
    ModelOptions whole;
    whole.layers = LayerRange{0, hyperparameters.layer_count};
    whole.kv_type = options.kv_type;
    TT_TRY(const auto kv_shape, kv_shape_of(gguf, whole));
    CostSheet sheet(gguf, hyperparameters, options);
    for (const GgufTensor& tensor : gguf.tensors()) {
        TT_CHECK(ensure_computable(tensor));
        sheet.add(tensor);
    }
    sheet.add_kv(kv_shape, options.positions);
    return sheet.take();
}

}  // namespace teetee::model
