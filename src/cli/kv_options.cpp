// SPDX-License-Identifier: Apache-2.0
#include "cli/kv_options.hpp"

namespace teetee::cli {

void KvOptions::add_to(CLI::App& command) {
    command
        .add_option("--kv-memory", memory,
                    "Memory for keys and values, as 512MiB or 2GiB; default: one context, at least "
                    "16384 positions, at most 4GiB")
        ->envname("TEETEE_KV_MEMORY");
    command
        .add_option("--kv-type", type,
                    "How keys and values are kept: f16, q8_0, f32, or auto for f16, and f32 where "
                    "the weights are")
        ->capture_default_str()
        ->check(CLI::IsMember({"auto", "f16", "q8_0", "f32"}))
        ->envname("TEETEE_KV_TYPE");
}

Result<uint64_t> KvOptions::bytes() const {
    if (memory.empty()) return uint64_t{0};
    auto parsed = model::parse_byte_count(memory);
    if (!parsed) return in_context("--kv-memory", std::move(parsed).error());
    return parsed;
}

Result<std::optional<model::KvType>> KvOptions::kv_type() const {
    if (type == "auto") return std::optional<model::KvType>();
    TT_TRY(const auto named, model::kv_type_named(type));
    return std::optional(named);
}

std::vector<std::string> KvOptions::arguments() const {
    std::vector<std::string> out = {"--kv-type", type};
    if (!memory.empty()) out.insert(out.end(), {"--kv-memory", memory});
    return out;
}

}  // namespace teetee::cli
