// SPDX-License-Identifier: Apache-2.0
#include "model/page_pool.hpp"

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"

namespace teetee::model {
namespace {

constexpr size_t slab_bytes = size_t{32} << 20;

}  // namespace

PagePool::PagePool(size_t page_bytes, size_t page_count_max)
    : page_bytes_(page_bytes), page_count_max_(page_count_max) {}

PagePool::Page* PagePool::take() {
    if (free_.empty()) add_slab();
    Page* const page = free_.back();
    free_.pop_back();
    page->references = 1;
    return page;
}

void PagePool::release(Page* page) {
    TT_ASSERT(page->references > 0);
    if (--page->references > 0) return;
    std::memset(page->data, 0, page_bytes_);
    free_.push_back(page);
}

void PagePool::add_slab() {
    const size_t wanted = std::max<size_t>(1, slab_bytes / std::max<size_t>(1, page_bytes_));
    const size_t count = std::min(wanted, page_count_max_ - pages_.size());
    TT_ASSERT(count > 0);
    uint8_t* const data = slabs_.emplace_back(count * page_bytes_).data();
    free_.reserve(pages_.size() + count);
    for (size_t i = 0; i < count; ++i) pages_.push_back({data + i * page_bytes_, 0});
    // The lowest address is taken first.
    for (size_t i = 0; i < count; ++i) free_.push_back(&pages_[pages_.size() - 1 - i]);
}

}  // namespace teetee::model
