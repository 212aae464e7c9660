// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/request.hpp"
#include "base/result.hpp"
#include "tensor/huge_buffer.hpp"
#include "tensor/kernels.hpp"

namespace teetee::model {

using KvType = tensor::KvType;

struct KvShape {
    std::vector<KvType> layers;  // how each layer of the shard stores its keys and values
    uint32_t kv_head_count = 0;
    uint32_t head_dim = 0;
};

/// Bytes of keys and values of one position, all layers of the shard.
size_t kv_bytes_per_position(const KvShape& shape);

/// "f16", "q8_0" or "f32". Error: invalid_argument.
Result<KvType> kv_type_named(std::string_view name);

/// Keys and values of the sequences of one shard, in pages of 32 positions that hold all layers of
/// the shard: (layer, kv head, {keys (head_dim, 32), values (32, head_dim)}), stored as the layer's
/// type says (tensor::KvPageView). A sequence reserves its pages when it is opened, so that an
/// admitted request never runs out; the memory itself is taken page by page, and wiped when the
/// sequence is closed. What is stored is always finite.
class KvCache {
  public:
    KvCache(KvShape shape, Position positions_max);
    KvCache(const KvCache&) = delete;
    KvCache& operator=(const KvCache&) = delete;

    const KvShape& shape() const { return shape_; }

    /// Errors: kv_cache_full, invalid_argument (already open, or no positions).
    Result<void> open(const RequestId& request, Position positions_max);
    void close(const RequestId& request);

    /// Positions stored so far; null for an unknown request.
    const Position* length(const RequestId& request) const;
    Position positions_max(const RequestId& request) const;
    Position positions_free() const;
    size_t sequence_count() const { return sequences_.size(); }

    /// The pages of one sequence during a batch; see extend().
    class Sequence {
      public:
        /// Where the shard's layer `layer` keeps the page of `position`.
        tensor::KvPageView page(uint32_t layer, uint32_t kv_head, size_t page_index) const;
        /// keys and values: (kv_head_count, head_dim). Different positions may be stored at once.
        void store(uint32_t layer, Position position, const float* keys, const float* values);

      private:
        friend class KvCache;
        uint8_t* head(uint32_t layer, uint32_t kv_head, size_t page_index) const;

        const KvCache* cache_ = nullptr;
        std::vector<std::unique_ptr<tensor::HugeBuffer>> pages_;
        Position length_ = 0;
        Position positions_max_ = 0;
    };

    /// Makes room for `count` more positions and returns the sequence, whose length has grown.
    /// Errors: sequence_unknown, context_exceeded.
    Result<Sequence*> extend(const RequestId& request, Position count);

  private:
    KvShape shape_;
    std::vector<size_t> layer_offsets_;  // of each layer in a page, then the page's size
    size_t page_count_max_;
    size_t pages_reserved_ = 0;
    std::map<RequestId, Sequence> sequences_;
    std::vector<std::unique_ptr<tensor::HugeBuffer>> free_pages_;
};

}  // namespace teetee::model
