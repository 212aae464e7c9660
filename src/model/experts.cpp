// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/blocks.hpp"
#include "tensor/layer_ops.hpp"

// Mixture of experts (Shazeer et al. 2017, Jiang et al. 2024). The rows of a batch are grouped by
// expert, so that an expert's weights are read once; a row adds its experts in ascending order of
// their number, whatever else is in the batch.

namespace teetee::model {

/// choices_[row, ..] = the experts with the largest logits, the lower number among equals, and
/// their weights: the softmax over those experts, or their share of the softmax over all.
void Blocks::choose_experts() {
    const ExpertHyperparameters& h = context_.hyperparameters.experts;
    choices_.resize(rows_.size() * h.used_count);
    context_.pool.run(rows_.size(), [&](size_t begin, size_t end) {
        thread_local std::vector<uint32_t> order;
        thread_local std::vector<float> weights;
        order.resize(h.count);
        for (size_t row = begin; row < end; ++row) {
            const float* logits = router_.data() + row * h.count;
            std::iota(order.begin(), order.end(), 0u);
            const auto used_end = order.begin() + h.used_count;
            // What is not a number ranks last, so that the order stays one.
            const auto rank = [&](uint32_t e) {
                return logits[e] == logits[e] ? logits[e] : -INFINITY;
            };
            std::partial_sort(order.begin(), used_end, order.end(), [&](uint32_t a, uint32_t b) {
                return rank(a) != rank(b) ? rank(a) > rank(b) : a < b;
            });
            std::sort(order.begin(), used_end);
            weights.clear();
            if (h.normalises_weights) {
                for (auto e = order.begin(); e != used_end; ++e) weights.push_back(logits[*e]);
            } else {
                weights.assign(logits, logits + h.count);
            }
            const float inverse = tensor::softmax_numerators(weights.data(), weights.size());
            for (uint32_t i = 0; i < h.used_count; ++i) {
                const float numerator = weights[h.normalises_weights ? i : order[i]];
                choices_[row * h.used_count + i] = {order[i], numerator * inverse};
            }
        }
    });
}

void Blocks::run_expert(const ExpertWeights& weights, uint32_t expert,
                        const std::vector<float>& input, std::vector<float>& out) {
    const size_t d = context_.hyperparameters.embedding_length;
    const uint32_t used_count = context_.hyperparameters.experts.used_count;
    gathered_.clear();
    gathered_rows_.clear();
    gathered_weights_.clear();
    for (size_t i = 0; i < choices_.size(); ++i) {
        if (choices_[i].expert != expert) continue;
        const size_t row = i / used_count;
        const auto from = input.begin() + static_cast<std::ptrdiff_t>(row * d);
        gathered_.insert(gathered_.end(), from, from + static_cast<std::ptrdiff_t>(d));
        gathered_rows_.push_back(row);
        gathered_weights_.push_back(choices_[i].weight);
    }
    const size_t row_count = gathered_rows_.size();
    if (row_count == 0) return;
    assign(gathered_, row_count);
    multiply(weights.gate[expert], row_count, gate_);
    multiply(weights.up[expert], row_count, up_);
    activate(Activation::silu, true);
    assign(gate_, row_count);
    multiply(weights.down[expert], row_count, expert_out_);
    context_.pool.run(row_count, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            tensor::add_scaled(out.data() + gathered_rows_[i] * d, expert_out_.data() + i * d, d,
                               gathered_weights_[i]);
        }
    });
}

std::vector<float>& Blocks::experts(const ExpertWeights& weights, const std::vector<float>& input) {
    assign(input, rows_.size());
    multiply(weights.router, rows_.size(), router_);
    choose_experts();
    update_.assign(input.size(), 0.0F);
    for (uint32_t expert = 0; expert < weights.gate.size(); ++expert)
        run_expert(weights, expert, input, update_);
    return update_;
}

}  // namespace teetee::model
