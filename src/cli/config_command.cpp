// SPDX-License-Identifier: Apache-2.0
#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/configuration.hpp"
#include "cli/tree_commands.hpp"

namespace teetee::cli {
namespace {

namespace json = boost::json;

struct ShowOptions {
    AddCommands add_commands;
    CLI::App* root = nullptr;
    CLI::App* command = nullptr;
    bool set_only = false;
};

struct TemplateOptions {
    AddCommands add_commands;
};

/// What may be shown of a value: URLs often carry a provider's key behind the host.
std::string shown(const Setting& setting, const std::string& value) {
    if (is_secret(setting.name)) return "(not shown)";
    const size_t scheme = value.find("://");
    if (scheme == std::string::npos) return value;
    const size_t host = scheme + 3;
    const size_t end = std::min(value.find_first_of("/?#", host), value.size());
    const size_t user = value.rfind('@', end);
    std::string out = value.substr(0, host);
    const bool has_user = user != std::string::npos && user >= host;
    out +=
        has_user ? "..@" + value.substr(user + 1, end - user - 1) : value.substr(host, end - host);
    return value.size() - end > 1 ? out + "/.." : out + value.substr(end);
}

std::string value_text(const Setting& setting) {
    std::vector<std::string> parts;
    for (const std::string& value : setting.values) parts.push_back(shown(setting, value));
    return parts.empty() ? "-" : CLI::detail::join(parts, ", ");
}

json::object to_json(const Setting& setting) {
    json::object out = {{"command", CLI::detail::join(setting.command, " ")},
                        {"name", setting.name},
                        {"value", nullptr},
                        {"source", to_string(setting.source)},
                        {"origin", nullptr}};
    if (!setting.origin.empty()) out["origin"] = setting.origin;
    json::array values;
    for (const std::string& value : setting.values) values.emplace_back(shown(setting, value));
    if (setting.is_list) {
        out["value"] = std::move(values);
    } else if (!values.empty()) {
        out["value"] = values.front();
    }
    return out;
}

void print_settings(const std::vector<Setting>& settings, const std::vector<ConfigPlace>& places,
                    const std::vector<ConfigFile>& files) {
    const auto is_read = [&](const std::string& path) {
        return std::ranges::any_of(files, [&](const auto& file) { return file.path == path; });
    };
    std::string text;
    for (const ConfigPlace& place : places)
        text += fmt::format("# {}: {}\n", place.path, is_read(place.path) ? "read" : "not there");
    std::optional<CommandPath> before;
    for (const Setting& setting : settings) {
        if (before != setting.command) {
            text += setting.command.empty()
                        ? "every command\n"
                        : fmt::format("{}\n", CLI::detail::join(setting.command, " "));
        }
        before = setting.command;
        std::string source = std::string(to_string(setting.source));
        if (!setting.origin.empty()) source += " " + setting.origin;
        text += fmt::format("  {:<24} {:<28} {}\n", setting.name, value_text(setting), source);
    }
    print_text(text);
}

void collect_paths(const CLI::App& command, std::vector<CommandPath>& out) {
    out.push_back(path_of(command));
    for (const CLI::App* sub : subcommands_of(command)) collect_paths(*sub, out);
}

/// The command that is named, or all.
Result<std::vector<CommandPath>> shown_commands(const SettingsTrial& trial, const CLI::App& root) {
    std::vector<CommandPath> out;
    const CommandPath called = trial.called();
    if (const auto unknown = trial.left_over(); !unknown.empty()) {
        const std::string what =
            called.empty() ? "no command" : CLI::detail::join(called, " ") + " does not take";
        return fail(ErrorCode::invalid_argument,
                    "config show: " + what + " " + quote_foreign(unknown.front()));
    }
    if (called.empty()) {
        collect_paths(root, out);
        return out;
    }
    for (size_t depth = 0; depth <= called.size(); ++depth)
        out.emplace_back(called.begin(), called.begin() + static_cast<ptrdiff_t>(depth));
    return out;
}

Result<void> show(const ShowOptions& options, Session& session) {
    SettingsTrial trial(options.add_commands);
    std::vector<std::string> arguments = options.command->remaining();
    // Its own flag, behind others that are the program's or the command's.
    const bool set_only = std::erase(arguments, "--set-only") > 0 || options.set_only;
    trial.read_arguments(arguments);
    const bool has_json = session.json || trial.has_flag("json");
    session.json = has_json;
    auto config = trial.flag_value("config");
    const auto& before = options.root->get_option("--config")->results();
    if (!config && !before.empty()) config = before.back();
    const auto places = config_places(config, environment_variable);
    CLI::App root;
    Session unused;
    options.add_commands(root, unused);
    TT_TRY(const auto paths, shown_commands(trial, root));
    TT_TRY(const auto files, read_config_files(places, trial));
    std::vector<Setting> settings;
    for (const CommandPath& path : paths) {
        TT_TRY(const auto found, trial.settings(path, environment_variable, files));
        for (const Setting& setting : found) {
            if (set_only && setting.source == SettingSource::fallback) continue;
            settings.push_back(setting);
        }
    }
    if (!has_json) {
        print_settings(settings, places, files);
        return {};
    }
    json::array names;
    for (const ConfigFile& file : files) names.emplace_back(file.path);
    json::array list;
    for (const Setting& setting : settings) list.push_back(to_json(setting));
    print_json({{"files", std::move(names)}, {"settings", std::move(list)}});
    return {};
}

std::string template_value(const Setting& setting, const CLI::Option& option) {
    const ValueKind kind = value_kind(option);
    const auto one = [&](const std::string& value) {
        if (kind == ValueKind::text || kind == ValueKind::word) return quote_toml(value);
        // A default in words, as "now", is no number.
        const bool is_word =
            kind != ValueKind::flag && value.find_first_of("0123456789") == std::string::npos;
        return is_word ? std::string("0") : value;
    };
    if (setting.values.empty()) {
        if (takes_list(option)) return "[]";
        const auto listed = listed_values(option);
        if (!listed.empty()) return one(listed.front());
        return kind == ValueKind::text || kind == ValueKind::word ? "\"\"" : "0";
    }
    if (!takes_list(option)) return one(setting.values.front());
    std::vector<std::string> parts;
    for (const std::string& value : setting.values) parts.push_back(one(value));
    return "[" + CLI::detail::join(parts, ", ") + "]";
}

/// As comments: a file that sets nothing, until a line's mark is taken away.
Result<void> print_template(const TemplateOptions& options, Session&) {
    SettingsTrial trial(options.add_commands);
    CLI::App root;
    Session unused;
    options.add_commands(root, unused);
    std::vector<CommandPath> paths;
    collect_paths(root, paths);
    std::string text =
        "# TeeTee's configuration. Flags win over variables, these over this file.\n"
        "# Take the mark off a line to set it; `teetee config show` says what counts.\n";
    for (const CommandPath& path : paths) {
        TT_TRY(const auto settings,
               trial.settings(path, [](const std::string&) { return std::nullopt; }, {}));
        if (settings.empty()) continue;
        if (!path.empty()) text += fmt::format("\n[{}]\n", CLI::detail::join(path, "."));
        for (const Setting& setting : settings) {
            const CLI::App* command = find_command(root, path);
            const std::string dashes = setting.name.size() == 1 ? "-" : "--";
            const CLI::Option* option = command->get_option(dashes + setting.name);
            text += fmt::format("\n## {}\n## {}\n# {} = {}\n", option->get_description(),
                                variable_name(path, setting.name), setting.name,
                                template_value(setting, *option));
        }
    }
    print_text(text);
    return {};
}

}  // namespace

void add_config(CLI::App& app, Session& session, const AddCommands& add_commands) {
    CLI::App* group =
        app.add_subcommand("config", "What is set, by whom, and a file to begin with");
    group->require_subcommand(1);
    auto show_options = std::make_shared<ShowOptions>();
    show_options->add_commands = add_commands;
    CLI::App* command = add_command(*group, session, "show",
                                    "Every setting of a command, or of all, and where it comes "
                                    "from; flags behind the command count",
                                    show_options, show);
    command->add_flag("--set-only", show_options->set_only, "Leave out what is at its default");
    // What follows is another command's, and is read by that one's rules.
    command->prefix_command()->fallthrough(false);
    command->footer("teetee config show [--set-only] [COMMAND.. [FLAGS OF IT]]");
    show_options->root = &app;
    show_options->command = command;
    auto template_options = std::make_shared<TemplateOptions>();
    template_options->add_commands = add_commands;
    add_command(*group, session, "template", "A commented file with every key and its default",
                template_options, print_template);
}

}  // namespace teetee::cli
