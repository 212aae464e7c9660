// SPDX-License-Identifier: Apache-2.0
#include "cli/completion_script.hpp"
#include "cli/tree_commands.hpp"

namespace teetee::cli {
namespace {

struct CompletionOptions {
    AddCommands add_commands;
    std::string shell;
};

Result<void> print_completion(const CompletionOptions& options, Session&) {
    CLI::App root;
    Session unused;
    options.add_commands(root, unused);
    const Shell shell = options.shell == "bash"  ? Shell::bash
                        : options.shell == "zsh" ? Shell::zsh
                                                 : Shell::fish;
    print_text(completion_script(root, shell));
    return {};
}

}  // namespace

void add_completion(CLI::App& app, Session& session, const AddCommands& add_commands) {
    auto options = std::make_shared<CompletionOptions>();
    options->add_commands = add_commands;
    CLI::App* command = add_command(app, session, "completion", "Print a shell's completion script",
                                    options, print_completion);
    command->add_option("shell", options->shell, "Whose")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

}  // namespace teetee::cli
