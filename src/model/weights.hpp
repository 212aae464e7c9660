// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/gguf.hpp"
#include "model/packed_cache.hpp"
#include "model/tensor_stream.hpp"
#include "tensor/matrix.hpp"

namespace teetee::model {

/// Called now and then with the bytes done and the bytes in all.
using Progress = std::function<void(uint64_t done_bytes, uint64_t total_bytes)>;

/// A matrix of which single rows are read, as the file has it.
struct Table {
    tensor::MatrixView view;
    Bytes data;
};

/// Takes tensors out of a GGUF by name, checking type and shape, and remembers which were taken.
/// Matrices are packed in steps of a few megabytes, so that the file's form of one is never in
/// memory beside the packed one.
class WeightLoader {
  public:
    /// What the references name MUST outlive the loader; `source` is of the file of `gguf`.
    WeightLoader(const Gguf& gguf, const WeightSource& source, tensor::ThreadPool& pool,
                 Progress progress, PackedCache* cache);

    bool has(std::string_view name) const { return gguf_.find_tensor(name) != nullptr; }

    /// Errors of all: tensor_missing, tensor_shape_wrong, tensor_type_unsupported, with the name,
    /// and those of TensorStream.
    Result<Table> table(const std::string& name, uint64_t rows, uint64_t columns);
    Result<tensor::PackedMatrix> matrix(const std::string& name, uint64_t rows, uint64_t columns);
    /// The consecutive row ranges of one matrix as a matrix each: fused projections.
    Result<std::vector<tensor::PackedMatrix>> split(const std::string& name,
                                                    std::span<const uint64_t> row_counts,
                                                    uint64_t columns);
    /// A tensor of dimensions {columns, rows, count} as `count` matrices.
    Result<std::vector<tensor::PackedMatrix>> experts(const std::string& name, uint64_t count,
                                                      uint64_t rows, uint64_t columns);
    /// A vector of F32 (F16 is widened).
    Result<std::vector<float>> vector(const std::string& name, uint64_t length);

    /// A tensor that stands in the file under `prefix` and was not taken would have changed the
    /// result. Error: architecture_unsupported naming it.
    Result<void> ensure_all_taken(std::string_view prefix) const;
    /// The same for every tensor that `is_served` picks.
    Result<void> ensure_all_taken(
        const std::function<bool(std::string_view name)>& is_served) const;

  private:
    /// Marks a tensor of this shape as taken.
    Result<const GgufTensor*> take(const std::string& name,
                                   const std::vector<uint64_t>& dimensions);
    Result<Bytes> read(const GgufTensor& tensor);
    Result<std::vector<tensor::PackedMatrix>> pack(const GgufTensor& tensor,
                                                   std::span<const uint64_t> row_counts,
                                                   uint64_t columns);
    Result<void> pack_step(TensorStream& stream, const tensor::MatrixView& step, uint8_t* out);
    void report(uint64_t bytes);

    const Gguf& gguf_;
    const WeightSource& source_;
    tensor::ThreadPool& pool_;
    Progress progress_;
    PackedCache* cache_;  // null: none
    std::set<std::string, std::less<>> taken_;
    Bytes step_;
    uint64_t done_bytes_ = 0;
    uint64_t total_bytes_ = 0;
};

}  // namespace teetee::model
