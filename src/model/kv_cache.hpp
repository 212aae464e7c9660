// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/request.hpp"
#include "base/result.hpp"
#include "tensor/kernels.hpp"

namespace teetee::model {

struct KvShape {
    uint32_t layer_count = 0;
    uint32_t kv_head_count = 0;
    uint32_t head_dim = 0;
};

/// Keys and values of the sequences of one shard, in pages of 32 positions that hold all layers of
/// the shard: (layer, kv head, {keys (head_dim, 32), values (32, head_dim)}) in F32. A sequence
/// reserves its pages when it is opened, so that an admitted request never runs out; the memory
/// itself is taken page by page, and wiped when the sequence is closed.
class KvCache {
  public:
    KvCache(KvShape shape, Position positions_max);

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
        void store(uint32_t layer, Position position, const float* keys, const float* values);

      private:
        friend class KvCache;
        KvShape shape_;
        std::vector<std::unique_ptr<float[]>> pages_;
        Position length_ = 0;
        Position positions_max_ = 0;
    };

    /// Makes room for `count` more positions and returns the sequence, whose length has grown.
    /// Errors: sequence_unknown, context_exceeded.
    Result<Sequence*> extend(const RequestId& request, Position count);

  private:
    size_t page_floats() const;

    KvShape shape_;
    size_t page_count_max_;
    size_t pages_reserved_ = 0;
    std::map<RequestId, Sequence> sequences_;
    std::vector<std::unique_ptr<float[]>> free_pages_;
};

}  // namespace teetee::model
