// SPDX-License-Identifier: Apache-2.0
#include "model/import.hpp"

#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "cli/checkpoint_files.hpp"
#include "cli/command.hpp"
#include "cli/progress.hpp"
#include "model/limits.hpp"
#include "net/file.hpp"
#include "tensor/quantise.hpp"

namespace teetee::cli {
namespace {

struct ImportCommandOptions {
    std::string folder;
    std::string out;
    std::string type = "auto";
};

/// The types by the names that GGUF files have for them.
const std::vector<std::pair<std::string, tensor::DataType>>& types() {
    using enum tensor::DataType;
    static const std::vector<std::pair<std::string, tensor::DataType>> all = {
        {"f32", f32},   {"f16", f16},   {"bf16", bf16}, {"q8_0", q8_0},
        {"q4_0", q4_0}, {"q4_1", q4_1}, {"q5_0", q5_0}, {"q5_1", q5_1}};
    return all;
}

std::vector<std::string> type_names() {
    std::vector<std::string> names = {"auto"};
    for (const auto& [name, type] : types()) names.push_back(name);
    return names;
}

/// The files of weights of a folder, mapped.
struct Weights {
    std::vector<net::MappedFile> mappings;
    model::Checkpoint checkpoint;
};

Result<Weights> open_weights(const std::string& folder) {
    TT_TRY(const auto index_text,
           read_optional(folder + "/model.safetensors.index.json", model::weight_index_bytes_max));
    std::set<std::string> names = {"model.safetensors"};
    model::WeightIndex index;
    if (!index_text.empty()) {
        TT_TRY(index, model::parse_weight_index(index_text));
        names.clear();
        for (const auto& [tensor, file] : index) names.insert(file);
    }
    if (names.size() > model::weight_file_count_max)
        return fail(ErrorCode::limit_exceeded, folder + ": too many files of weights");
    std::vector<net::MappedFile> mappings;
    std::vector<model::WeightFile> files;
    for (const std::string& name : names) {
        TT_TRY(auto mapping, net::MappedFile::open(folder + "/" + name));
        files.push_back({name, mapping.view()});
        mappings.push_back(std::move(mapping));
    }
    auto checkpoint = model::Checkpoint::build(files, index_text.empty() ? nullptr : &index);
    if (!checkpoint) return in_context(folder, std::move(checkpoint).error());
    return Weights{std::move(mappings), std::move(checkpoint).value()};
}

Result<model::HfConfig> read_config(const std::string& folder) {
    TT_TRY(const auto bytes, net::read_file(folder + "/config.json", model::json_tree_bytes_max));
    TT_TRY(auto config, model::parse_hf_config(as_text(bytes)));
    if (config.name.empty() || config.name.find('/') != config.name.npos) {
        const auto path = std::filesystem::path(folder + "/").lexically_normal();
        config.name = path.parent_path().filename().string();
    }
    return config;
}

Result<void> import_folder(const ImportCommandOptions& options, Session& session) {
    TT_TRY(const auto config, read_config(options.folder));
    TT_TRY(auto vocabulary, read_vocabulary(options.folder));
    TT_TRY(const auto weights, open_weights(options.folder));
    model::ImportOptions import_options;
    import_options.progress = progress_bar("importing");
    for (const auto& [name, type] : types())
        if (name == options.type) import_options.type = type;
    uint64_t bytes = 0;
    TT_CHECK(net::stream_file_atomic(options.out, [&](const BlobStore::Sink& sink) {
        return model::write_gguf(weights.checkpoint, config, std::move(vocabulary), import_options,
                                 [&](ByteView piece) {
                                     bytes += piece.size();
                                     return sink(piece);
                                 });
    }));
    const size_t count = weights.checkpoint.tensors().size();
    if (session.json) {
        print_json({{"file", options.out},
                    {"architecture", config.architecture},
                    {"tensors", count},
                    {"bytes", bytes}});
    } else {
        print_text(fmt::format("{}: {}, {} tensors read, {} bytes written\n", options.out,
                               config.architecture, count, bytes));
    }
    return {};
}

}  // namespace

void add_import(CLI::App& app, Session& session) {
    auto options = std::make_shared<ImportCommandOptions>();
    CLI::App* command =
        add_command(app, session, "import",
                    "Make a GGUF of a checkpoint in Hugging Face's layout (safetensors)", options,
                    import_folder);
    command->add_option("folder", options->folder, "config.json, weights and tokenizer")
        ->required()
        ->check(CLI::ExistingDirectory);
    command->add_option("--out", options->out, "GGUF file to write")->required();
    command
        ->add_option("--type", options->type,
                     "Type of the matrices; auto keeps what the checkpoint has")
        ->capture_default_str()
        ->check(CLI::IsMember(type_names()));
}

}  // namespace teetee::cli
