// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "node/engine_factory.hpp"

// A stage that lies: `teetee` but for one bit of one activation (or, on the tail, one token) at the
// position that TEETEE_LIE_AT names. The linker takes make_engine from here and not from the node
// library.

namespace teetee::node {
namespace {

class LyingEngine final : public pipeline::StageEngine {
  public:
    LyingEngine(std::unique_ptr<pipeline::StageEngine> engine, Position position)
        : engine_(std::move(engine)), position_(position) {}

    pipeline::EngineLimits limits() const override { return engine_->limits(); }

    pipeline::ComputeResult compute(pipeline::ComputeJob job) override {
        const std::vector<pipeline::EngineRow> rows = job.rows;
        pipeline::ComputeResult result = engine_->compute(std::move(job));
        for (pipeline::SampledToken& token : result.tokens) {
            if (token.position == position_) token.token = token.token == 5 ? 6 : 5;
        }
        if (limits().is_tail() || result.activations.empty()) return result;
        const size_t row_bytes = size_t{4} * limits().width;
        for (size_t i = 0; i < rows.size(); ++i) {
            if (rows[i].position == position_) result.activations.at(i * row_bytes) ^= 1;
        }
        return result;
    }

  private:
    std::unique_ptr<pipeline::StageEngine> engine_;
    Position position_;
};

}  // namespace

std::unique_ptr<pipeline::StageEngine> make_engine(
    std::unique_ptr<model::ShardModel> model, ModelEngine::Limits limits,
    std::shared_ptr<const model::ConstraintVocabulary> vocabulary) {
    auto honest = std::make_unique<ModelEngine>(std::move(model), limits, std::move(vocabulary));
    const char* const position = std::getenv("TEETEE_LIE_AT");
    return std::make_unique<LyingEngine>(
        std::move(honest),
        static_cast<Position>(std::strtoul(position == nullptr ? "0" : position, nullptr, 10)));
}

}  // namespace teetee::node
