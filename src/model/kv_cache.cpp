// SPDX-License-Identifier: Apache-2.0
#include "model/kv_cache.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/assert.hpp"
#include "tensor/ops.hpp"

namespace teetee::model {
namespace {

size_t pages_for(Position positions) {
    return (static_cast<size_t>(positions) + tensor::page_positions - 1) / tensor::page_positions;
}

using tensor::block_elements;
using tensor::page_positions;

size_t element_bytes(KvType type) {
    return type == KvType::f32 ? 4 : (type == KvType::f16 ? 2 : 1);
}

size_t block_count(const KvShape& shape) {
    return (shape.head_dim + block_elements - 1) / block_elements;
}

/// Keys or values of one head in one page, then (Q8_0) the scales of both.
size_t plane_bytes(const KvShape& shape, KvType type) {
    return page_positions * shape.head_dim * element_bytes(type);
}

size_t head_bytes(const KvShape& shape, KvType type) {
    const size_t scales =
        type == KvType::q8_0 ? 2 * page_positions * block_count(shape) * sizeof(float) : 0;
    return (2 * plane_bytes(shape, type) + scales + 63) / 64 * 64;
}

float finite(float value) {
    constexpr float largest = 0x1.fffffep127F;
    return value == value ? std::clamp(value, -largest, largest) : 0.0F;
}

/// Writes `count` numbers as F32 or F16, `stride` elements apart.
void store_elements(KvType type, const float* values, size_t count, uint8_t* out, size_t stride) {
    if (type == KvType::f32) {
        for (size_t i = 0; i < count; ++i) {
            const float value = finite(values[i]);
            std::memcpy(out + 4 * i * stride, &value, 4);
        }
        return;
    }
    constexpr size_t piece = 64;
    std::array<uint16_t, piece> halves;
    for (size_t begin = 0; begin < count; begin += piece) {
        const size_t length = std::min(piece, count - begin);
        tensor::to_f16_finite(values + begin, length, halves.data());
        if (stride == 1) {
            std::memcpy(out + 2 * begin, halves.data(), 2 * length);
            continue;
        }
        for (size_t i = 0; i < length; ++i)
            std::memcpy(out + 2 * (begin + i) * stride, &halves[i], 2);
    }
}

/// Blocks of 32 dimensions, the last one padded with zeros, as Q8_0: element i at out[i * stride],
/// scale of block b at scales[b * scale_stride].
void store_blocks(const float* values, size_t count, uint8_t* out, size_t stride, float* scales,
                  size_t scale_stride) {
    for (size_t begin = 0; begin < count; begin += block_elements) {
        const size_t length = std::min(block_elements, count - begin);
        std::array<float, block_elements> block{};
        std::array<int8_t, block_elements> quants;
        for (size_t i = 0; i < length; ++i) block[i] = finite(values[begin + i]);
        int32_t sum = 0;
        scales[begin / block_elements * scale_stride] =
            tensor::quantise_block(block.data(), quants.data(), sum);
        for (size_t i = 0; i < length; ++i) std::memcpy(out + (begin + i) * stride, &quants[i], 1);
    }
}

}  // namespace

size_t kv_page_bytes(const KvShape& shape) {
    size_t bytes = 0;
    for (const KvType type : shape.layers) bytes += shape.kv_head_count * head_bytes(shape, type);
    return bytes;
}

size_t kv_bytes_per_position(const KvShape& shape) {
    return kv_page_bytes(shape) / page_positions;
}

Result<KvType> kv_type_named(std::string_view name) {
    if (name == "f16") return KvType::f16;
    if (name == "q8_0") return KvType::q8_0;
    if (name == "f32") return KvType::f32;
    return fail(ErrorCode::invalid_argument,
                "KV type: have " + quote_foreign(name) + ", need f16, q8_0 or f32");
}

KvCache::KvCache(KvShape shape, Position positions_max)
    : shape_(std::move(shape)), pool_(kv_page_bytes(shape_), pages_for(positions_max)) {
    layer_offsets_.push_back(0);
    for (const KvType type : shape_.layers) {
        layer_offsets_.push_back(layer_offsets_.back() +
                                 shape_.kv_head_count * head_bytes(shape_, type));
    }
}

Result<std::vector<PagePool::Page*>> KvCache::pages_of(PrefixStart start) const {
    std::vector<PagePool::Page*> pages;
    // Never further than asked, whatever the parents are.
    for (PrefixId at = start.prefix; at != 0 && pages.size() * page_positions <= start.positions;) {
        const auto found = retained_.find(at);
        if (found == retained_.end())
            return fail(ErrorCode::prefix_unknown, "a page of the prefix is not retained");
        pages.push_back(found->second.page);
        at = found->second.parent;
    }
    if (pages.size() * page_positions != start.positions) {
        return fail(ErrorCode::prefix_unknown,
                    "the prefix has other positions than " + std::to_string(start.positions));
    }
    std::reverse(pages.begin(), pages.end());
    return pages;
}

Result<void> KvCache::open(const RequestId& request, Position positions_max, PrefixStart start) {
    if (positions_max <= start.positions || sequences_.contains(request)) {
        return fail(ErrorCode::invalid_argument,
                    "sequence is open already or asks for no positions");
    }
    TT_TRY(auto pages, pages_of(start));
    const size_t own_count = pages_for(positions_max) - pages.size();
    if (own_count > pages_free()) {
        return fail(ErrorCode::kv_cache_full, "have " + std::to_string(positions_free()) +
                                                  " free positions, need " +
                                                  std::to_string(own_count * page_positions));
    }
    promised_ += own_count;
    for (PagePool::Page* page : pages) pool_.share(page);
    pages.reserve(pages_for(positions_max));
    Sequence& sequence = sequences_[request];
    sequence.cache_ = this;
    sequence.pages_shared_ = pages.size();
    sequence.pages_ = std::move(pages);
    sequence.length_ = start.positions;
    sequence.positions_max_ = positions_max;
    return {};
}

void KvCache::close(const RequestId& request) {
    const auto found = sequences_.find(request);
    if (found == sequences_.end()) return;
    const Sequence& sequence = found->second;
    promised_ -= pages_for(sequence.positions_max_) - sequence.pages_.size();
    for (PagePool::Page* page : sequence.pages_) pool_.release(page);
    sequences_.erase(found);
}

void KvCache::retain(const RequestId& request, const PrefixSpan& span) {
    const auto found = sequences_.find(request);
    if (found == sequences_.end() || span.first == 0) return;
    Sequence& sequence = found->second;
    const size_t end = std::min<size_t>(span.page_end, sequence.length_ / page_positions);
    if (span.page_begin >= end) return;
    // The ids of a chain name the pages of one sequence, in order.
    if ((span.parent == 0) != (span.page_begin == 0)) return;
    if (span.parent != 0) {
        const auto before = retained_.find(span.parent);
        if (before == retained_.end() ||
            before->second.page != sequence.pages_[span.page_begin - 1])
            return;
    }
    PrefixId parent = span.parent;
    for (size_t i = span.page_begin; i < end; ++i) {
        const PrefixId id = span.first + (i - span.page_begin);
        if (!retained_.try_emplace(id, Retained{sequence.pages_[i], parent}).second) return;
        pool_.share(sequence.pages_[i]);
        sequence.pages_shared_ = std::max(sequence.pages_shared_, i + 1);
        parent = id;
    }
}

void KvCache::drop(PrefixId prefix) {
    const auto found = retained_.find(prefix);
    if (found == retained_.end()) return;
    pool_.release(found->second.page);
    retained_.erase(found);
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
    return static_cast<Position>(pages_free() * page_positions);
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
        sequence.pages_.push_back(pool_.take());
        --promised_;
    }
    return &sequence;
}

Result<void> KvCache::rewind(const RequestId& request, Position length) {
    const auto found = sequences_.find(request);
    if (found == sequences_.end())
        return fail(ErrorCode::sequence_unknown, "no such sequence is open");
    Sequence& sequence = found->second;
    if (length > sequence.length_ || length < sequence.pages_shared_ * page_positions) {
        return fail(ErrorCode::invalid_argument,
                    "sequence has " + std::to_string(sequence.length_) + " positions, of which " +
                        std::to_string(sequence.pages_shared_ * page_positions) +
                        " may be shared, need " + std::to_string(length));
    }
    sequence.length_ = length;
    return {};
}

uint8_t* KvCache::Sequence::head(uint32_t layer, uint32_t kv_head, size_t page_index) const {
    TT_ASSERT(page_index < pages_.size());
    const KvShape& shape = cache_->shape_;
    return pages_[page_index]->data + cache_->layer_offsets_[layer] +
           kv_head * head_bytes(shape, shape.layers[layer]);
}

tensor::KvPageView KvCache::Sequence::page(uint32_t layer, uint32_t kv_head,
                                           size_t page_index) const {
    const KvShape& shape = cache_->shape_;
    const KvType type = shape.layers[layer];
    const uint8_t* keys = head(layer, kv_head, page_index);
    const uint8_t* values = keys + plane_bytes(shape, type);
    const auto* scales = reinterpret_cast<const float*>(values + plane_bytes(shape, type));
    return {type, keys, values, scales, scales + page_positions * block_count(shape)};
}

void KvCache::Sequence::store(uint32_t layer, Position position, const float* keys,
                              const float* values) {
    const KvShape& shape = cache_->shape_;
    const KvType type = shape.layers[layer];
    const size_t slot = position % page_positions;
    const size_t head_dim = shape.head_dim;
    const size_t blocks = block_count(shape);
    const size_t bytes = element_bytes(type);
    for (uint32_t h = 0; h < shape.kv_head_count; ++h, keys += head_dim, values += head_dim) {
        uint8_t* page_keys = head(layer, h, position / page_positions);
        uint8_t* page_values = page_keys + plane_bytes(shape, type);
        uint8_t* value_row = page_values + bytes * slot * head_dim;
        if (type != KvType::q8_0) {
            store_elements(type, keys, head_dim, page_keys + bytes * slot, page_positions);
            store_elements(type, values, head_dim, value_row, 1);
            continue;
        }
        auto* key_scales = reinterpret_cast<float*>(page_values + plane_bytes(shape, type));
        float* value_scales = key_scales + page_positions * blocks;
        store_blocks(keys, head_dim, page_keys + slot, page_positions, key_scales + slot,
                     page_positions);
        store_blocks(values, head_dim, value_row, 1, value_scales + slot * blocks, 1);
    }
}

}  // namespace teetee::model
