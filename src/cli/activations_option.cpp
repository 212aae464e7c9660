// SPDX-License-Identifier: Apache-2.0
#include "cli/activations_option.hpp"

namespace teetee::cli {

void ActivationsOption::add_to(CLI::App& command) {
    command
        .add_option("--activations", name,
                    "How rows travel between shards: f32, f16 or q8 (a half, a good quarter of "
                    "the bytes). With f16 and q8 answers depend on where the model is cut, and "
                    "receipts say so")
        ->capture_default_str()
        ->check(CLI::IsMember({"f32", "f16", "q8"}))
        ->envname("TEETEE_ACTIVATIONS");
}

Result<ActivationFormat> ActivationsOption::format() const {
    if (const auto named = activation_format_named(name)) return *named;
    return fail(ErrorCode::invalid_argument,
                "--activations: have '" + name + "', need f32, f16 or q8");
}

}  // namespace teetee::cli
