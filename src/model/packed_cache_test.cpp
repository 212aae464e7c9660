// SPDX-License-Identifier: Apache-2.0
#include "model/packed_cache.hpp"

#include <gtest/gtest.h>

#include "model/test_blob_store.hpp"

namespace teetee::model {
namespace {

constexpr size_t index_bytes = 8 + 4 + 4 + 32 + 8;
constexpr PackedCache::Identity identity = {.weights = {1, 2, 3}, .layers = {2, 5}};

crypto::Secret<32> key(uint8_t first = 7) {
    return crypto::Secret<32>(ByteArray<32>{first});
}

/// One piece, several with a short last one, and exactly two.
std::vector<Bytes> matrices() {
    std::vector<Bytes> out = {Bytes(64), Bytes((2 << 20) + 192), Bytes(2 << 20)};
    uint32_t next = 0;
    for (Bytes& matrix : out) {
        for (uint8_t& byte : matrix) byte = static_cast<uint8_t>(next++ * 2654435761U >> 24);
    }
    return out;
}

class PackedCacheTest : public ::testing::Test {
  protected:
    /// A load: takes what is kept, "packs" the rest, and keeps all. Whether each was taken.
    std::vector<bool> load(PackedCache& cache, const std::vector<Bytes>& packed) {
        cache.open();
        std::vector<Bytes> memory;
        for (const Bytes& matrix : packed) memory.emplace_back(matrix.size());
        std::vector<bool> taken;
        for (size_t i = 0; i < packed.size(); ++i) {
            taken.push_back(cache.take(memory[i], pool_));
            if (!taken.back()) memory[i] = Bytes(packed[i].begin(), packed[i].end());
            EXPECT_EQ(memory[i], packed[i]);
        }
        return taken;
    }

    /// The same with a keep at the end; matrices stand still for it.
    void fill() {
        store_.blobs.clear();
        PackedCache cache(store_, identity, key());
        cache.open();
        auto memory = matrices();
        const auto packed = memory;
        for (size_t i = 0; i < memory.size(); ++i) {
            EXPECT_FALSE(cache.take(memory[i], pool_));
            memory[i] = packed[i];
        }
        ASSERT_TRUE(cache.keep(pool_));
        EXPECT_FALSE(cache.was_used());
        ASSERT_EQ(store_.blobs.size(), 1u);
    }

    Bytes& blob() { return store_.blobs.begin()->second; }

    /// Nothing of the blob may get into a load from `matrix` on.
    void expect_rejected_from(size_t matrix, const char* what) {
        PackedCache cache(store_, identity, key());
        const auto taken = load(cache, matrices());
        for (size_t i = 0; i < taken.size(); ++i) EXPECT_EQ(taken[i], i < matrix) << what << i;
        ASSERT_TRUE(cache.rejection()) << what;
        EXPECT_EQ(cache.rejection()->code, ErrorCode::weights_cache_rejected) << what;
    }

    tensor::ThreadPool pool_{2};
    TestBlobStore store_;
};

TEST_F(PackedCacheTest, gives_back_what_was_kept_and_writes_nothing_then) {
    fill();
    PackedCache cache(store_, identity, key());
    EXPECT_EQ(load(cache, matrices()), std::vector<bool>({true, true, true}));
    EXPECT_FALSE(cache.rejection());
    EXPECT_TRUE(cache.keep(pool_));
    EXPECT_TRUE(cache.was_used());
    EXPECT_EQ(store_.writes, 1);
}

TEST_F(PackedCacheTest, rejects_every_changed_byte_of_the_index) {
    fill();
    const size_t piece_count = 1 + 3 + 2;
    for (size_t at = 0; at < index_bytes + 32 * piece_count + 32; ++at) {
        blob()[at] ^= 0x10;
        PackedCache cache(store_, identity, key());
        cache.open();
        ASSERT_TRUE(cache.rejection()) << at;
        Bytes matrix(64);
        EXPECT_FALSE(cache.take(matrix, pool_)) << at;
        blob()[at] ^= 0x10;
    }
}

TEST_F(PackedCacheTest, rejects_a_changed_byte_of_any_piece) {
    fill();
    const size_t payload = index_bytes + 32 * 6 + 32;
    const size_t places[] = {payload,
                             payload + 63,
                             payload + 64,
                             payload + 64 + (2 << 20) + 191,
                             payload + 64 + (2 << 20) + 192,
                             blob().size() - 1};
    for (size_t i = 0; i < std::size(places); ++i) {
        blob()[places[i]] ^= 1;
        expect_rejected_from(i / 2, "piece");
        blob()[places[i]] ^= 1;
    }
}

TEST_F(PackedCacheTest, rejects_a_truncated_blob) {
    fill();
    const Bytes whole = blob();
    for (const size_t size : {size_t{0}, size_t{7}, index_bytes, index_bytes + 32 * 7 - 1}) {
        blob().assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        expect_rejected_from(0, "truncated");
    }
    blob().assign(whole.begin(), whole.end() - 1);
    expect_rejected_from(2, "truncated");
}

TEST_F(PackedCacheTest, rejects_swapped_pieces_and_what_follows_the_last) {
    fill();
    const auto payload = blob().begin() + index_bytes + 32 * 6 + 32 + 64;
    std::swap_ranges(payload, payload + (1 << 20), payload + (1 << 20));
    expect_rejected_from(1, "swapped");
    fill();
    blob().push_back(0);
    PackedCache cache(store_, identity, key());
    auto memory = matrices();
    cache.open();
    for (Bytes& matrix : memory) EXPECT_TRUE(cache.take(matrix, pool_));
    ASSERT_TRUE(cache.keep(pool_));
    EXPECT_FALSE(cache.was_used());
    ASSERT_TRUE(cache.rejection());
}

TEST_F(PackedCacheTest, rejects_the_blob_of_another_key) {
    fill();
    PackedCache cache(store_, identity, key(8));
    EXPECT_EQ(load(cache, matrices()), std::vector<bool>({false, false, false}));
    EXPECT_EQ(cache.rejection()->code, ErrorCode::weights_cache_rejected);
}

TEST_F(PackedCacheTest, does_not_find_the_blob_of_other_weights_or_layers) {
    fill();
    for (const PackedCache::Identity& other :
         {PackedCache::Identity{{9}, identity.layers}, {identity.weights, {2, 6}}}) {
        PackedCache cache(store_, other, key());
        EXPECT_EQ(load(cache, matrices()), std::vector<bool>({false, false, false}));
        EXPECT_FALSE(cache.rejection());
    }
}

TEST_F(PackedCacheTest, rejects_a_genuine_blob_under_the_name_of_another) {
    fill();
    const Bytes genuine = blob();
    store_.blobs.clear();
    const PackedCache::Identity other = {{9}, identity.layers};
    PackedCache first(store_, other, key());
    first.open();
    auto memory = matrices();
    for (Bytes& matrix : memory) (void)first.take(matrix, pool_);
    ASSERT_TRUE(first.keep(pool_));
    blob() = genuine;
    PackedCache cache(store_, other, key());
    EXPECT_EQ(load(cache, matrices()), std::vector<bool>({false, false, false}));
    EXPECT_EQ(cache.rejection()->code, ErrorCode::weights_cache_rejected);
}

TEST_F(PackedCacheTest, rejects_a_blob_of_fewer_or_larger_matrices) {
    fill();
    auto more = matrices();
    more.push_back(Bytes(64));
    PackedCache cache(store_, identity, key());
    EXPECT_EQ(load(cache, more), std::vector<bool>({true, true, true, false}));
    auto larger = matrices();
    larger[0].resize(128);
    PackedCache other(store_, identity, key());
    EXPECT_FALSE(load(other, larger)[0]);
}

}  // namespace
}  // namespace teetee::model
