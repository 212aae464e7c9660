// SPDX-License-Identifier: Apache-2.0
#include "cli/cut_option.hpp"

#include "cli/model_file.hpp"
#include "model/cut.hpp"
#include "model/json_members.hpp"
#include "model/limits.hpp"

namespace teetee::cli {
namespace {

/// Of what `teetee plan --json` printed, the one member that says how to cut.
Result<std::string> read_plan(const std::string& path) {
    TT_TRY(const auto bytes, net::read_file(path, model::json_tree_bytes_max));
    TT_TRY(const auto tree, model::parse_json_tree(as_text(bytes), path));
    TT_TRY(auto members, model::JsonMembers::of(tree, path, ErrorCode::config_invalid));
    return members.required_string("cut");
}

}  // namespace

void CutOption::add_to(CLI::App& command) {
    CLI::Option* even = command.add_option("--shards", shards, "Cut evenly into this many")
                            ->capture_default_str()
                            ->check(CLI::Range(1, 512));
    CLI::Option* named =
        command.add_option("--cut", cut, "The layers of each shard instead, as 0-9,10-15,16-21")
            ->excludes(even);
    command.add_option("--plan", plan, "Cut as this file says, which 'teetee plan --json' printed")
        ->excludes(even)
        ->excludes(named);
}

Result<std::vector<LayerRange>> CutOption::ranges(const std::string& model_path) const {
    TT_TRY(const auto file, ModelFile::open(model_path));
    TT_TRY(const auto hyperparameters, model::hyperparameters_from(file.gguf));
    if (cut.empty() && plan.empty()) {
        return model::even_cut(hyperparameters.layer_count, static_cast<uint32_t>(shards));
    }
    std::string text = cut;
    if (!plan.empty()) {
        TT_TRY(text, read_plan(plan));
    }
    TT_TRY(auto ranges, model::parse_cut(text));
    TT_CHECK(model::validate_cut(ranges, hyperparameters.layer_count));
    return ranges;
}

}  // namespace teetee::cli
