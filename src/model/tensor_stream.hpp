// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/storage.hpp"
#include "crypto/hash.hpp"
#include "model/gguf.hpp"
#include "model/manifest.hpp"
#include "tensor/thread_pool.hpp"

namespace teetee::model {

/// Where the bytes of tensors come from.
struct WeightSource {
    /// The file that was indexed.
    const ByteSource* file = nullptr;
    /// What each tensor's data must hash to; null: whatever is there is taken.
    const Manifest* manifest = nullptr;
};

/// Fills `out` from `offset` on with all threads. Error: io_failed.
Result<void> read_parallel(const ByteSource& file, uint64_t offset, std::span<uint8_t> out,
                           tensor::ThreadPool& pool);

/// The bytes of one tensor from the first to the last. What is hashed is what was handed out,
/// whatever happens to the file meanwhile.
class TensorStream {
  public:
    TensorStream(const WeightSource& source, const GgufTensor& tensor, tensor::ThreadPool& pool)
        : source_(source), tensor_(tensor), pool_(pool) {}

    /// Fills `step` with the next bytes. Error: io_failed.
    Result<void> read(std::span<uint8_t> step);
    /// Takes what was read into the hash, where there is something to compare it with. May run
    /// beside code that reads `step`.
    void hash(ByteView step);
    /// After the last byte. Error: shard_mismatch, with the tensor's name.
    Result<void> finish();

  private:
    const WeightSource& source_;
    const GgufTensor& tensor_;
    tensor::ThreadPool& pool_;
    crypto::Sha256 hash_;
    uint64_t done_bytes_ = 0;
};

}  // namespace teetee::model
