// SPDX-License-Identifier: Apache-2.0
#include "model/kv_cache.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace teetee::model {
namespace {

size_t pages_for(Position positions) {
    return (static_cast<size_t>(positions) + tensor::page_positions - 1) / tensor::page_positions;
}

size_t head_floats(const KvShape& shape) {
    return 2 * tensor::page_positions * shape.head_dim;
}

}  // namespace

KvCache::KvCache(KvShape shape, Position positions_max)
    : shape_(shape), page_count_max_(pages_for(positions_max)) {}

size_t KvCache::page_floats() const {
    return shape_.layer_count * shape_.kv_head_count * head_floats(shape_);
}

Result<void> KvCache::open(const RequestId& request, Position positions_max) {
    if (positions_max == 0 || sequences_.contains(request)) {
        return fail(ErrorCode::invalid_argument,
                    "sequence is open already or asks for no positions");
    }
    const size_t pages = pages_for(positions_max);
    if (pages > page_count_max_ - pages_reserved_) {
        return fail(ErrorCode::kv_cache_full, "have " + std::to_string(positions_free()) +
                                                  " free positions, need " +
                                                  std::to_string(positions_max));
    }
    pages_reserved_ += pages;
    Sequence& sequence = sequences_[request];
    sequence.shape_ = shape_;
    sequence.positions_max_ = positions_max;
    return {};
}

void KvCache::close(const RequestId& request) {
    const auto found = sequences_.find(request);
    if (found == sequences_.end()) return;
    pages_reserved_ -= pages_for(found->second.positions_max_);
    for (auto& page : found->second.pages_) {
        // The next request on this page may be another tenant's.
        std::fill_n(page.get(), page_floats(), 0.0F);
        free_pages_.push_back(std::move(page));
    }
    sequences_.erase(found);
}

const Position* KvCache::length(const RequestId& request) const {
    const auto found = sequences_.find(request);
    return found == sequences_.end() ? nullptr : &found->second.length_;
}

Position KvCache::positions_max(const RequestId& request) const {
    const auto found = sequences_.find(request);
    return found == sequences_.end() ? 0 : found->second.positions_max_;
}

Position KvCache::positions_free() const {
    return static_cast<Position>((page_count_max_ - pages_reserved_) * tensor::page_positions);
}

Result<KvCache::Sequence*> KvCache::extend(const RequestId& request, Position count) {
    const auto found = sequences_.find(request);
    if (found == sequences_.end())
        return fail(ErrorCode::sequence_unknown, "no such sequence is open");
    Sequence& sequence = found->second;
    if (count > sequence.positions_max_ - sequence.length_) {
        return fail(
            ErrorCode::context_exceeded,
            "sequence was opened for " + std::to_string(sequence.positions_max_) + " positions");
    }
    sequence.length_ += count;
    while (sequence.pages_.size() < pages_for(sequence.length_)) {
        if (free_pages_.empty()) {
            sequence.pages_.push_back(std::make_unique<float[]>(page_floats()));
        } else {
            sequence.pages_.push_back(std::move(free_pages_.back()));
            free_pages_.pop_back();
        }
    }
    return &sequence;
}

tensor::KvPageView KvCache::Sequence::page(uint32_t layer, uint32_t kv_head,
                                           size_t page_index) const {
    TT_ASSERT(page_index < pages_.size());
    const float* head =
        pages_[page_index].get() + (layer * shape_.kv_head_count + kv_head) * head_floats(shape_);
    return {head, head + tensor::page_positions * shape_.head_dim};
}

void KvCache::Sequence::store(uint32_t layer, Position position, const float* keys,
                              const float* values) {
    const size_t page_index = position / tensor::page_positions;
    const size_t slot = position % tensor::page_positions;
    TT_ASSERT(page_index < pages_.size());
    for (uint32_t h = 0; h < shape_.kv_head_count; ++h) {
        float* page_keys =
            pages_[page_index].get() + (layer * shape_.kv_head_count + h) * head_floats(shape_);
        float* page_values = page_keys + tensor::page_positions * shape_.head_dim;
        for (uint32_t d = 0; d < shape_.head_dim; ++d) {
            page_keys[d * tensor::page_positions + slot] = keys[h * shape_.head_dim + d];
        }
        std::copy_n(values + h * shape_.head_dim, shape_.head_dim,
                    page_values + slot * shape_.head_dim);
    }
}

}  // namespace teetee::model
