// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/gguf.hpp"
#include "tensor/matrix.hpp"

namespace teetee::model {

/// Called now and then with the bytes done and the bytes in all.
using Progress = std::function<void(uint64_t done_bytes, uint64_t total_bytes)>;

/// Takes tensors out of a GGUF by name, checking type and shape, and remembers which were taken.
class WeightLoader {
  public:
    WeightLoader(const Gguf& gguf, tensor::ThreadPool& pool, Progress progress);

    bool has(std::string_view name) const { return gguf_.find_tensor(name) != nullptr; }

    /// Errors of all: tensor_missing, tensor_shape_wrong, tensor_type_unsupported, with the name.
    Result<tensor::MatrixView> view(const std::string& name, uint64_t rows, uint64_t columns);
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
    Result<ByteView> take(const std::string& name, const std::vector<uint64_t>& dimensions);
    std::vector<tensor::PackedMatrix> pack(const std::string& name, ByteView data,
                                           std::span<const uint64_t> row_counts, uint64_t columns);

    const Gguf& gguf_;
    tensor::ThreadPool& pool_;
    Progress progress_;
    std::set<std::string, std::less<>> taken_;
    uint64_t done_bytes_ = 0;
    uint64_t total_bytes_ = 0;
};

}  // namespace teetee::model
