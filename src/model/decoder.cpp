// SPDX-License-Identifier: Apache-2.0
#include "model/decoder.hpp"

namespace teetee::model {

Result<std::unique_ptr<Decoder>> load_decoder(const DecoderContext& context, WeightLoader& loader) {
    using Load = Result<std::unique_ptr<Decoder>> (*)(const DecoderContext&, WeightLoader&);
    constexpr std::pair<std::string_view, Load> architectures[] = {
        {"llama", load_llama},    {"qwen2", load_qwen2},   {"qwen3", load_qwen3},
        {"qwen3moe", load_qwen3}, {"gemma2", load_gemma2}, {"phi3", load_phi3},
        {"gpt2", load_gpt2},
    };
    for (const auto& [name, load] : architectures) {
        if (name == context.hyperparameters.architecture) return load(context, loader);
    }
    return fail(ErrorCode::architecture_unsupported,
                quote_foreign(context.hyperparameters.architecture));
}

}  // namespace teetee::model
