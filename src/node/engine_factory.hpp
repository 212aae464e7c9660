// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "node/model_engine.hpp"

namespace teetee::node {

/// The engine of a node. In a file of its own, so that a test program can put another one in its
/// place (tests/lying_stage): such a program is another measurement, which no policy accepts that
/// was not told to.
std::unique_ptr<pipeline::StageEngine> make_engine(
    std::unique_ptr<model::ShardModel> model, ModelEngine::Limits limits,
    std::shared_ptr<const model::ConstraintVocabulary> vocabulary);

}  // namespace teetee::node
