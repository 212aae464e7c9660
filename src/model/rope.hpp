// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "model/hyperparameters.hpp"
#include "model/weights.hpp"
#include "tensor/ops.hpp"

namespace teetee::model {

/// The rotation of a model: its angles scaled as the hyperparameters and the tensors
/// rope_freqs.weight (Llama 3) or rope_factors_long/short.weight (LongRoPE) say; empty where
/// positions are not rotated. Which of LongRoPE's two is used depends on the file alone, so that a
/// position's key never changes: the long factors when context_length exceeds the original one.
/// Sources: Su et al. 2021; Chen et al. 2023 (linear); Peng et al. 2023 (YaRN, with the ramp over
/// dimensions of its published code); Ding et al. 2024 (LongRoPE).
/// Errors: those of WeightLoader; hyperparameter_invalid for factors out of bounds;
/// architecture_unsupported for a scaling without its tensors, or tensors with another scaling.
Result<tensor::RopeTable> load_rope(const Hyperparameters& hyperparameters, WeightLoader& loader);

}  // namespace teetee::model
