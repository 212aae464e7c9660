// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/safetensors.hpp"

namespace teetee::model {

/// Which file of a checkpoint holds a tensor: weight_map of model.safetensors.index.json. A file's
/// name has no folder in it and ends in ".safetensors", so that it can point nowhere else.
/// Errors: safetensors_malformed naming the member; invalid_json; limit_exceeded.
using WeightIndex = std::map<std::string, std::string, std::less<>>;
Result<WeightIndex> parse_weight_index(std::string_view json);

/// A file of weights; `bytes` MUST outlive what is made of it.
struct WeightFile {
    std::string name;
    ByteView bytes;
};

/// The tensors of a checkpoint, whatever file they lie in.
class Checkpoint {
  public:
    struct Tensor {
        SafetensorsTensor description;
        ByteView data;
    };

    /// Without an index there is one file. Errors: safetensors_malformed naming file and tensor:
    /// a file that is not valid, a tensor of the index that is not in its file, one that the index
    /// does not have.
    static Result<Checkpoint> build(const std::vector<WeightFile>& files, const WeightIndex* index);

    const std::vector<Tensor>& tensors() const { return tensors_; }

  private:
    std::vector<Tensor> tensors_;
};

}  // namespace teetee::model
