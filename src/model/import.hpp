// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "model/checkpoint.hpp"
#include "model/gguf_writer.hpp"
#include "model/hf_config.hpp"
#include "model/vocabulary.hpp"
#include "model/weights.hpp"
#include "tensor/data_type.hpp"

namespace teetee::model {

struct ImportOptions {
    /// Of the matrices; nullopt keeps what the checkpoint has. One that tensor::encode_row writes.
    /// Norms, biases, routers and learned positions are F32 always; a row that is no whole number
    /// of blocks is F16.
    std::optional<tensor::DataType> type{};
    Progress progress{};
};

/// Writes a checkpoint as a GGUF that this engine and llama.cpp read. Weights pass through one row
/// at a time. Nothing is written before keys, vocabulary and names have been checked.
/// Errors: architecture_unsupported, hyperparameter_invalid, tensor_missing, tensor_shape_wrong and
/// tensor_type_unsupported, each naming the tensor or key; vocabulary_invalid; those of the sink.
Result<void> write_gguf(const Checkpoint& checkpoint, const HfConfig& config, Vocabulary vocabulary,
                        const ImportOptions& options, const ByteSink& sink);

}  // namespace teetee::model
