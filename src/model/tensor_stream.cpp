// SPDX-License-Identifier: Apache-2.0
#include "model/tensor_stream.hpp"

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/assert.hpp"

namespace teetee::model {

Result<void> read_parallel(const ByteSource& file, uint64_t offset, std::span<uint8_t> out,
                           tensor::ThreadPool& pool) {
    constexpr size_t slice_bytes = 512 << 10;
    std::mutex mutex;
    std::optional<Error> failed;
    pool.run((out.size() + slice_bytes - 1) / slice_bytes, 1, [&](size_t begin, size_t end) {
        const size_t from = begin * slice_bytes;
        const size_t to = std::min(out.size(), end * slice_bytes);
        if (auto read = file.read(offset + from, out.subspan(from, to - from)); !read) {
            const std::lock_guard lock(mutex);
            failed = std::move(read).error();
        }
    });
    if (failed) return *std::move(failed);
    return {};
}

Result<void> TensorStream::read(std::span<uint8_t> step) {
    TT_ASSERT(step.size() <= tensor_.bytes - done_bytes_);
    TT_CHECK(read_parallel(*source_.file, tensor_.offset + done_bytes_, step, pool_));
    done_bytes_ += step.size();
    return {};
}

void TensorStream::hash(ByteView step) {
    if (source_.manifest != nullptr) hash_.update(step);
}

Result<void> TensorStream::finish() {
    TT_ASSERT(done_bytes_ == tensor_.bytes);
    if (source_.manifest == nullptr) return {};
    const auto& tensors = source_.manifest->tensors;
    const auto need = std::ranges::lower_bound(tensors, tensor_.name, {}, &ManifestTensor::name);
    if (need == tensors.end() || need->name != tensor_.name) {
        return fail(ErrorCode::shard_mismatch,
                    "the manifest has no tensor " + quote_foreign(tensor_.name));
    }
    const Digest have = hash_.finish();
    if (have != need->sha256) {
        return fail(ErrorCode::shard_mismatch, quote_foreign(tensor_.name) + ": data has SHA-256 " +
                                                   to_hex(have) + ", need " + to_hex(need->sha256));
    }
    return {};
}

}  // namespace teetee::model
