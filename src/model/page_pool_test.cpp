// SPDX-License-Identifier: Apache-2.0
#include "model/page_pool.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace teetee::model {
namespace {

/// Sixteen of them are a slab.
constexpr size_t page_bytes = size_t{2} << 20;

bool is_blank(const PagePool::Page& page) {
    return std::all_of(page.data, page.data + page_bytes, [](uint8_t byte) { return byte == 0; });
}

TEST(page_pool, gives_each_page_once_across_slabs) {
    PagePool pool(page_bytes, 40);
    std::set<const uint8_t*> seen;
    for (int i = 0; i < 40; ++i) {
        const PagePool::Page* page = pool.take();
        EXPECT_EQ(page->references, 1u);
        EXPECT_TRUE(seen.insert(page->data).second);
    }
    EXPECT_EQ(pool.taken_count(), 40u);
    for (auto at = seen.begin(); std::next(at) != seen.end(); ++at) {
        EXPECT_GE(*std::next(at) - *at, static_cast<ptrdiff_t>(page_bytes)) << "pages overlap";
    }
}

TEST(page_pool, wipes_a_page_with_its_last_reference) {
    PagePool pool(page_bytes, 2);
    PagePool::Page* const page = pool.take();
    std::fill_n(page->data, page_bytes, uint8_t{7});
    pool.share(page);
    pool.release(page);
    EXPECT_EQ(page->data[page_bytes - 1], 7) << "somebody still has it";
    EXPECT_EQ(pool.taken_count(), 1u);
    pool.release(page);
    EXPECT_EQ(pool.taken_count(), 0u);
    EXPECT_TRUE(is_blank(*page));
    EXPECT_EQ(pool.take(), page) << "memory that is there is used again";
}

TEST(page_pool, pages_larger_than_a_slab_come_one_by_one) {
    PagePool pool(size_t{40} << 20, 2);
    PagePool::Page* const first = pool.take();
    PagePool::Page* const second = pool.take();
    first->data[(size_t{40} << 20) - 1] = 1;
    EXPECT_EQ(second->data[0], 0);
}

}  // namespace
}  // namespace teetee::model
