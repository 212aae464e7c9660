// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "tensor/huge_buffer.hpp"

namespace teetee::model {

/// Pages of one size, counted by reference: a page is all zeros when it is taken, and is wiped when
/// its last reference goes, because the next sequence on it may be another tenant's. Memory comes
/// from the system in slabs large enough for huge pages, as far as it is used.
class PagePool {
  public:
    struct Page {
        uint8_t* data = nullptr;
        uint32_t references = 0;
    };

    PagePool(size_t page_bytes, size_t page_count_max);

    /// One reference to a page that nobody has. At most page_count_max are taken at a time.
    Page* take();
    void share(Page* page) { ++page->references; }
    void release(Page* page);

    size_t page_count_max() const { return page_count_max_; }
    size_t taken_count() const { return pages_.size() - free_.size(); }

  private:
    void add_slab();

    size_t page_bytes_;
    size_t page_count_max_;
    std::vector<tensor::HugeBuffer> slabs_;
    std::deque<Page> pages_;  // grows at the end only: pointers into it stay good
    std::vector<Page*> free_;
};

}  // namespace teetee::model
