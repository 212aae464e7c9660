// SPDX-License-Identifier: Apache-2.0
#include "node/engine_factory.hpp"

namespace teetee::node {

std::unique_ptr<pipeline::StageEngine> make_engine(
    std::unique_ptr<model::ShardModel> model, ModelEngine::Limits limits,
    std::shared_ptr<const model::ConstraintVocabulary> vocabulary) {
    return std::make_unique<ModelEngine>(std::move(model), limits, std::move(vocabulary));
}

}  // namespace teetee::node
