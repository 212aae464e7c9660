// SPDX-License-Identifier: Apache-2.0
#include "tensor/read_speed.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>

#include "tensor/huge_buffer.hpp"
#include "tensor/thread_pool.hpp"

namespace teetee::tensor {
namespace {

constexpr size_t buffer_bytes = size_t{1} << 30;
constexpr size_t slice_bytes = size_t{1} << 20;
constexpr int pass_count = 8;

/// Four independent chains of 64 bytes, so that loads and not additions are the limit.
uint64_t read_slice(const uint8_t* data) {
    using Words = uint64_t __attribute__((vector_size(64)));
    Words chains[4] = {};
    for (size_t at = 0; at < slice_bytes; at += sizeof chains) {
        for (size_t i = 0; i < 4; ++i) {
            Words words;
            std::memcpy(&words, data + at + i * sizeof words, sizeof words);
            chains[i] += words;
        }
    }
    const Words sum = chains[0] + chains[1] + chains[2] + chains[3];
    uint64_t total = 0;
    for (size_t i = 0; i < sizeof sum / sizeof total; ++i) total += sum[i];
    return total;
}

}  // namespace

double read_speed(size_t thread_count, const Clock& clock) {
    HugeBuffer buffer(buffer_bytes);
    ThreadPool pool(thread_count);
    // Pages that were never written are all the same page of zeros.
    pool.run(buffer_bytes / slice_bytes, [&](size_t begin, size_t end) {
        std::memset(buffer.data() + begin * slice_bytes, 1, (end - begin) * slice_bytes);
    });
    std::atomic<uint64_t> total = 0;
    double best = 0;
    for (int pass = 0; pass < pass_count; ++pass) {
        const Instant start = clock.now();
        pool.run(buffer_bytes / slice_bytes, 16, [&](size_t begin, size_t end) {
            uint64_t sum = 0;
            for (size_t i = begin; i < end; ++i) sum += read_slice(buffer.data() + i * slice_bytes);
            total += sum;
        });
        const double seconds = std::chrono::duration<double>(clock.now() - start).count();
        best = std::max(best, static_cast<double>(buffer_bytes) / seconds);
    }
    // The sum is used, so that no compiler leaves the reading out.
    return total == 0 ? 0 : best;
}

}  // namespace teetee::tensor
