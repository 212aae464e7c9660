// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

#include "base/request.hpp"
#include "base/result.hpp"
#include "model/page_pool.hpp"
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
/// Of a page: memory is taken in pages.
size_t kv_page_bytes(const KvShape& shape);

/// "f16", "q8_0" or "f32". Error: invalid_argument.
Result<KvType> kv_type_named(std::string_view name);

/// Keys and values of the sequences of one shard, in pages of 32 positions that hold all layers of
/// the shard: (layer, kv head, {keys (head_dim, 32), values (32, head_dim)}), stored as the layer's
/// type says (tensor::KvPageView). A sequence reserves its pages when it is opened, so that an
/// admitted request never runs out; the memory itself is taken page by page. What is stored is
/// always finite.
///
/// Full pages can outlive their sequence: retain() gives them ids, and later sequences may begin
/// behind them. Such a page is shared and never written again; it is wiped when neither an id nor
/// a sequence holds it any more.
class KvCache {
  public:
    KvCache(KvShape shape, Position positions_max);
    KvCache(const KvCache&) = delete;
    KvCache& operator=(const KvCache&) = delete;

    const KvShape& shape() const { return shape_; }

    /// The sequence goes on behind `start`, whose positions count as stored.
    /// Errors: kv_cache_full, prefix_unknown (also if the prefix has other positions),
    /// invalid_argument (already open, or no position left behind the start).
    Result<void> open(const RequestId& request, Position positions_max, PrefixStart start = {});
    void close(const RequestId& request);

    /// Keeps full pages of an open sequence. What cannot be kept (an unknown sequence, a parent
    /// that is not the page before, a page that is not full, an id in use) is not: a later open()
    /// then finds the prefix unknown.
    void retain(const RequestId& request, const PrefixSpan& span);
    /// Takes back the id of a page; unknown ones are ignored.
    void drop(PrefixId prefix);

    /// Positions stored so far; null for an unknown request.
    const Position* length(const RequestId& request) const;
    Position positions_max(const RequestId& request) const;
    /// What sequences can still reserve, in whole pages.
    Position positions_free() const;
    size_t sequence_count() const { return sequences_.size(); }
    size_t retained_count() const { return retained_.size(); }

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
        std::vector<PagePool::Page*> pages_;
        Position length_ = 0;
        Position positions_max_ = 0;
        /// The first ones may be shared.
        size_t pages_shared_ = 0;
    };

    /// Makes room for `count` more positions and returns the sequence, whose length has grown.
    /// Errors: sequence_unknown, context_exceeded.
    Result<Sequence*> extend(const RequestId& request, Position count);

    /// Forgets the positions from `length` on. Errors: sequence_unknown, invalid_argument (not
    /// stored yet, or in a page that may be shared).
    Result<void> rewind(const RequestId& request, Position length);

  private:
    struct Retained {
        PagePool::Page* page = nullptr;
        PrefixId parent = 0;
    };

    size_t pages_free() const { return pool_.page_count_max() - pool_.taken_count() - promised_; }
    Result<std::vector<PagePool::Page*>> pages_of(PrefixStart start) const;

    KvShape shape_;
    std::vector<size_t> layer_offsets_;  // of each layer in a page, then the page's size
    PagePool pool_;
    size_t promised_ = 0;  // pages that open sequences have yet to take
    std::map<RequestId, Sequence> sequences_;
    std::map<PrefixId, Retained> retained_;
};

}  // namespace teetee::model
