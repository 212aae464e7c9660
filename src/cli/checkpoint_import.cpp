// SPDX-License-Identifier: Apache-2.0
#include "cli/checkpoint_import.hpp"

#include <filesystem>
#include <set>

#include "cli/checkpoint_files.hpp"
#include "cli/progress.hpp"
#include "model/checkpoint.hpp"
#include "model/import.hpp"
#include "model/limits.hpp"
#include "net/file.hpp"
#include "tensor/quantise.hpp"

namespace teetee::cli {
namespace {

/// The types by the names that GGUF files have for them.
const std::vector<std::pair<std::string, tensor::DataType>>& types() {
    using enum tensor::DataType;
    static const std::vector<std::pair<std::string, tensor::DataType>> all = {
        {"f32", f32},   {"f16", f16},   {"bf16", bf16}, {"q8_0", q8_0},
        {"q4_0", q4_0}, {"q4_1", q4_1}, {"q5_0", q5_0}, {"q5_1", q5_1}};
    return all;
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

}  // namespace

std::vector<std::string> import_type_names() {
    std::vector<std::string> names = {"auto"};
    for (const auto& [name, type] : types()) names.push_back(name);
    return names;
}

Result<model::HfConfig> read_checkpoint_config(const std::string& folder) {
    TT_TRY(const auto bytes, net::read_file(folder + "/config.json", model::json_tree_bytes_max));
    return model::parse_hf_config(as_text(bytes));
}

Result<Imported> import_checkpoint(const ImportRequest& request) {
    TT_TRY(auto config, read_checkpoint_config(request.folder));
    if (config.name.empty() || config.name.find('/') != config.name.npos) {
        const auto path = std::filesystem::path(request.folder + "/").lexically_normal();
        config.name = request.name.empty() ? path.parent_path().filename().string() : request.name;
    }
    TT_TRY(auto vocabulary, read_vocabulary(request.folder));
    TT_TRY(const auto weights, open_weights(request.folder));
    model::ImportOptions options;
    options.progress = progress_bar("importing");
    for (const auto& [name, type] : types())
        if (name == request.type) options.type = type;
    Imported out{.architecture = config.architecture,
                 .tensors = weights.checkpoint.tensors().size()};
    TT_CHECK(net::stream_file_atomic(request.out, [&](const BlobStore::Sink& sink) {
        return model::write_gguf(weights.checkpoint, config, std::move(vocabulary), options,
                                 [&](ByteView piece) -> Result<void> {
                                     if (request.stop.stop_requested())
                                         return fail(ErrorCode::cancelled,
                                                     request.out + ": stopped while importing");
                                     out.bytes += piece.size();
                                     return sink(piece);
                                 });
    }));
    return out;
}

}  // namespace teetee::cli
