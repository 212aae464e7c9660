// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
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
    /// A vector of F32 (F16 is widened).
    Result<std::vector<float>> vector(const std::string& name, uint64_t length);

    /// A tensor that stands in the file under `prefix` and was not taken would have changed the
    /// result. Error: architecture_unsupported naming it.
    Result<void> ensure_all_taken(std::string_view prefix) const;

  private:
    const Gguf& gguf_;
    tensor::ThreadPool& pool_;
    Progress progress_;
    std::set<std::string, std::less<>> taken_;
    uint64_t done_bytes_ = 0;
    uint64_t total_bytes_ = 0;
};

}  // namespace teetee::model
