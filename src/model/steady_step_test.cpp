// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "model/shard_model.hpp"
#include "model/test_random_model.hpp"

// Every allocation of this test program is counted while a test says so.
namespace {
std::atomic<bool> is_counting = false;
std::atomic<size_t> allocation_count = 0;

void* allocate(size_t size, size_t alignment) {
    if (is_counting.load(std::memory_order_relaxed)) ++allocation_count;
    const size_t rounded = (size + alignment - 1) / alignment * alignment;
    void* const memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
    if (memory == nullptr) std::abort();
    return memory;
}
}  // namespace

void* operator new(size_t size) {
    return allocate(size, alignof(std::max_align_t));
}
void* operator new(size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<size_t>(alignment));
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
    return allocate(size, alignof(std::max_align_t));
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
    std::free(memory);
}

namespace teetee::model {
namespace {

constexpr RequestId first_id{{1}};
constexpr RequestId second_id{{2}};

template <class Work>
size_t allocations_of(Work work) {
    allocation_count = 0;
    is_counting = true;
    work();
    is_counting = false;
    return allocation_count;
}

/// Allocations of one decode step of two sequences at `position`, behind a prompt and another step:
/// its page of keys and values exists.
size_t allocations_of_step(tensor::DataType type, size_t threads, Position position) {
    const RandomModel random(type);
    const auto gguf = Gguf::parse(random.file);
    EXPECT_TRUE(gguf);
    ModelOptions options;
    options.thread_count = threads;
    options.kv_positions_max = 4096;
    const auto loaded = ShardModel::load(*gguf, options);
    EXPECT_TRUE(loaded);
    ShardModel& model = **loaded;
    for (const RequestId& id : {first_id, second_id})
        EXPECT_TRUE(model.cache().open(id, position + 1));
    std::vector<float> logits(2 * model.hyperparameters().vocabulary_size);
    const auto step = [&](Position begin, Position end) {
        std::vector<BatchRow> rows;
        for (const RequestId& id : {first_id, second_id})
            for (Position at = begin; at < end; ++at) rows.push_back({id, at});
        const std::vector<TokenId> tokens(rows.size(), 3);
        std::vector<float> hidden(rows.size() * model.embedding_length());
        return allocations_of([&] {
            EXPECT_TRUE(model.embed(tokens, hidden.data()));
            EXPECT_TRUE(model.forward(rows, hidden.data()));
            model.logits(hidden.data(), 2, logits.data());
        });
    };
    step(0, position - 1);
    step(position - 1, position);
    return step(position, position + 1);
}

TEST(steady_step, allocations_are_counted) {
    EXPECT_EQ(allocations_of([] { std::vector<int> three(3); }), 1u);
}

TEST(steady_step, decoding_allocates_nothing) {
    EXPECT_EQ(allocations_of_step(tensor::DataType::q4_0, 1, 10), 0u);
    EXPECT_EQ(allocations_of_step(tensor::DataType::q4_k, 2, 10), 0u);
}

TEST(steady_step, decoding_by_segments_allocates_nothing) {
    EXPECT_EQ(allocations_of_step(tensor::DataType::f16, 3, 700), 0u);
}

}  // namespace
}  // namespace teetee::model
