// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/checkpoint_import.hpp"
#include "cli/command.hpp"

namespace teetee::cli {
namespace {

struct ImportCommandOptions {
    std::string folder;
    std::string out;
    std::string type = "auto";
};

Result<void> import_folder(const ImportCommandOptions& options, Session& session) {
    TT_TRY(const auto made,
           import_checkpoint({.folder = options.folder, .out = options.out, .type = options.type}));
    if (session.json) {
        print_json({{"file", options.out},
                    {"architecture", made.architecture},
                    {"tensors", made.tensors},
                    {"bytes", made.bytes}});
    } else {
        print_text(fmt::format("{}: {}, {} tensors read, {} bytes written\n", options.out,
                               made.architecture, made.tensors, made.bytes));
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
        ->check(CLI::IsMember(import_type_names()));
}

}  // namespace teetee::cli
