// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <boost/json/array.hpp>

#include "cli/man_page.hpp"
#include "cli/tree_commands.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

struct ManOptions {
    AddCommands add_commands;
    std::string folder;
};

class Manual {
  public:
    Manual(std::string folder, std::string version)
        : folder_(std::move(folder)), version_(std::move(version)) {}

    /// The command's page, and those of the commands under it.
    Result<void> write(const CLI::App& command) {
        const std::string path = folder_ + "/" + man_page_name(command) + ".1";
        TT_CHECK(net::write_file_atomic(path, as_bytes(man_page(command, version_))));
        pages.emplace_back(path);
        for (const CLI::App* sub : subcommands_of(command)) TT_CHECK(write(*sub));
        return {};
    }

    boost::json::array pages;

  private:
    std::string folder_;
    std::string version_;
};

Result<void> write_manual(const ManOptions& options, Session& session) {
    std::error_code failed;
    std::filesystem::create_directories(options.folder, failed);
    if (failed) return fail(ErrorCode::io_failed, options.folder + ": " + failed.message());
    CLI::App root;
    Session unused;
    options.add_commands(root, unused);
    Manual manual(options.folder, root.version());
    TT_CHECK(manual.write(root));
    if (session.json) {
        print_json({{"pages", std::move(manual.pages)}});
    } else {
        print_text(std::to_string(manual.pages.size()) + " pages in " + options.folder + "\n");
    }
    return {};
}

}  // namespace

void add_man(CLI::App& app, Session& session, const AddCommands& add_commands) {
    auto options = std::make_shared<ManOptions>();
    options->add_commands = add_commands;
    CLI::App* command =
        add_command(app, session, "man", "Write the manual pages", options, write_manual);
    command->add_option("--out", options->folder, "Folder for teetee.1, teetee-node.1, ..")
        ->required();
}

}  // namespace teetee::cli
