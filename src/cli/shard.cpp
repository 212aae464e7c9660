// SPDX-License-Identifier: Apache-2.0
#include "model/shard.hpp"

#include <algorithm>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/cut_option.hpp"
#include "cli/dev_network.hpp"
#include "cli/model_file.hpp"
#include "cli/progress.hpp"
#include "model/cut.hpp"
#include "model/limits.hpp"
#include "model/manifest.hpp"

namespace teetee::cli {
namespace {

struct CutOptions {
    std::string model;
    CutOption cut;
    std::string out;
};

Result<model::Manifest> read_manifest(const std::string& path) {
    TT_TRY(const auto bytes, net::read_file(path, model::manifest_bytes_max));
    auto manifest = model::parse_manifest(as_text(bytes));
    if (!manifest) return in_context(path, std::move(manifest).error());
    return manifest;
}

Result<void> cut(const CutOptions& options, Session& session) {
    TT_TRY(const auto ranges, options.cut.ranges(options.model));
    TT_TRY(const auto manifest, write_shards(options.model, ranges, options.out));
    boost::json::array shards;
    for (const model::ManifestShard& shard : manifest.shards) {
        shards.push_back({{"file", shard.file_name},
                          {"layers", boost::json::array{shard.layers.begin, shard.layers.end}},
                          {"bytes", shard.file_bytes},
                          {"root", to_hex(shard.root)}});
        if (!session.json) {
            print_text(fmt::format("{}/{}  layers {} to {}  {} bytes  root {}\n", options.out,
                                   shard.file_name, shard.layers.begin, shard.layers.end - 1,
                                   shard.file_bytes, to_hex(shard.root)));
        }
    }
    if (session.json) {
        print_json({{"model_root", to_hex(manifest.model_root)}, {"shards", shards}});
    } else {
        print_text(fmt::format("{}/manifest.json  model root {}\n", options.out,
                               to_hex(manifest.model_root)));
    }
    return {};
}

struct InfoOptions {
    std::string file;
    std::string manifest;
};

std::string dimensions_text(const model::GgufTensor& tensor) {
    std::string text;
    for (const uint64_t d : tensor.dimensions)
        text += (text.empty() ? "" : " x ") + std::to_string(d);
    return text;
}

/// Against the manifest beside the file, or the one named: every byte is hashed.
Result<void> verify(const InfoOptions& options, const model::Gguf& gguf,
                    const model::ShardInfo& info) {
    std::string path = options.manifest;
    if (path.empty()) {
        const size_t slash = options.file.rfind('/');
        path =
            (slash == std::string::npos ? "." : options.file.substr(0, slash)) + "/manifest.json";
    }
    TT_TRY(const auto manifest, read_manifest(path));
    return model::verify_shard(gguf, manifest, info.index, progress_bar("verifying"));
}

boost::json::array describe_tensors(const model::Gguf& gguf) {
    boost::json::array tensors;
    for (const model::GgufTensor& t : gguf.tensors()) {
        tensors.push_back({{"name", t.name},
                           {"type", tensor::to_string(t.type)},
                           {"shape", dimensions_text(t)},
                           {"bytes", t.bytes}});
    }
    return tensors;
}

/// GGUF also carries tensors that are no model; such a file has no key of an architecture, a
/// tokenizer or a shard.
bool is_model(const model::Gguf& gguf) {
    const auto architecture = gguf.string("general.architecture");
    const std::string own = architecture && *architecture ? std::string(**architecture) : "";
    return std::any_of(gguf.entries().begin(), gguf.entries().end(), [&](const auto& entry) {
        return entry.key.starts_with(own + ".") || entry.key.starts_with("tokenizer.") ||
               entry.key.starts_with("teetee.");
    });
}

void show_tensors(const InfoOptions& options, const model::Gguf& gguf, const Session& session) {
    const boost::json::array tensors = describe_tensors(gguf);
    if (session.json) {
        print_json({{"file", options.file},
                    {"bytes", gguf.file().size()},
                    {"is_model", false},
                    {"tensors", tensors}});
    } else {
        print_text(fmt::format("{}: no model, {} tensors, {} bytes\n", options.file, tensors.size(),
                               gguf.file().size()));
    }
}

Result<void> info(const InfoOptions& options, Session& session) {
    TT_TRY(const auto file, ModelFile::open(options.file));
    if (!is_model(file.gguf)) {
        show_tensors(options, file.gguf, session);
        return {};
    }
    TT_TRY(const auto hyperparameters, model::hyperparameters_from(file.gguf));
    TT_TRY(const auto shard, model::parse_shard_info(file.gguf));
    const LayerRange layers = shard ? shard->layers : LayerRange{0, hyperparameters.layer_count};
    boost::json::object out = {{"file", options.file},
                               {"bytes", file.gguf.file().size()},
                               {"is_model", true},
                               {"architecture", hyperparameters.architecture},
                               {"name", hyperparameters.name},
                               {"layers", boost::json::array{layers.begin, layers.end}},
                               {"layer_count", hyperparameters.layer_count},
                               {"context_length", hyperparameters.context_length},
                               {"is_shard", shard.has_value()}};
    const boost::json::array tensors = describe_tensors(file.gguf);
    out["tensors"] = tensors;
    Result<void> verified;
    if (shard) {
        out["index"] = shard->index;
        out["count"] = shard->count;
        out["model_root"] = to_hex(shard->model_root);
        out["shard_root"] = to_hex(shard->shard_root);
        verified = verify(options, file.gguf, *shard);
        out["verified"] = verified.has_value();
    }
    if (session.json) {
        if (!verified) {
            out["error"] = {{"code", to_string(verified.error().code)},
                            {"detail", verified.error().detail}};
            session.exit = exit_for(verified.error().code);
        }
        print_json(out);
        return {};
    }
    print_text(fmt::format("{}: {} {}, layers {} to {} of {}, context {}, {} tensors, {} bytes\n",
                           options.file, hyperparameters.architecture,
                           quote_foreign(hyperparameters.name), layers.begin, layers.end - 1,
                           hyperparameters.layer_count, hyperparameters.context_length,
                           tensors.size(), file.gguf.file().size()));
    if (!shard) {
        print_text("a whole model, not a shard\n");
        return {};
    }
    print_text(fmt::format("shard {} of {}\nmodel root {}\nshard root {}\n", shard->index,
                           shard->count, to_hex(shard->model_root), to_hex(shard->shard_root)));
    if (verified) print_text("verified: every byte matches the manifest\n");
    return verified;
}

}  // namespace

void add_shard(CLI::App& app, Session& session) {
    CLI::App* group = app.add_subcommand("shard", "Cut a model into shards, or look at one");
    group->require_subcommand(1);
    auto cut_options = std::make_shared<CutOptions>();
    CLI::App* cut_command = add_command(
        *group, session, "cut", "Cut a model into shard files and a manifest", cut_options, cut);
    cut_command->add_option("--model", cut_options->model, "GGUF file")
        ->required()
        ->envname("TEETEE_MODEL");
    cut_options->cut.add_to(*cut_command);
    cut_command->add_option("--out", cut_options->out, "Folder for the files")->required();
    auto info_options = std::make_shared<InfoOptions>();
    CLI::App* info_command =
        add_command(*group, session, "info", "Show a GGUF file; verify it if it is a shard",
                    info_options, info);
    info_command->add_option("file", info_options->file, "GGUF file")->required();
    info_command->add_option("--manifest", info_options->manifest,
                             "Manifest to verify against; default: beside the file");
}

}  // namespace teetee::cli
