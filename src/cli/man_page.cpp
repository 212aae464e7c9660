// SPDX-License-Identifier: Apache-2.0
#include "cli/man_page.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace teetee::cli {
namespace {

/// Text that roff takes as it is.
std::string roff(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool begins_line = out.empty() || out.back() == '\n';
        // At a line's begin these are requests.
        if (begins_line && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else if (c == '~') {
            out += "\\(ti";
        } else if (c == '^') {
            out += "\\(ha";
        } else if (c == '`') {
            out += "\\(ga";
        } else if (c == '\'') {
            out += "\\(aq";
        } else {
            out += c;
        }
    }
    return out;
}

std::string bold(std::string_view text) {
    return "\\fB" + roff(text) + "\\fR";
}

std::string spaced(const CLI::App& command) {
    std::string out = "teetee";
    for (const std::string& word : path_of(command)) out += " " + word;
    return out;
}

std::string option_head(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.get_snames()) names.push_back(bold("-" + name));
    for (const std::string& name : option.get_lnames()) names.push_back(bold("--" + name));
    std::string out = CLI::detail::join(names, ", ");
    const std::string value = value_name(option);
    if (!value.empty()) out += " \\fI" + roff(value) + "\\fR";
    if (takes_list(option)) out += " ...";
    return out;
}

/// What the checks add to the type: "INT in [0 - 256]".
std::string range_of(const CLI::Option& option) {
    const std::string whole = option.get_type_name();
    const size_t in = whole.find(" in [");
    if (in == std::string::npos) return {};
    const size_t end = whole.find(']', in);
    return end == std::string::npos ? std::string() : whole.substr(in + 5, end - in - 5);
}

void put_option(std::string& out, const CommandPath& path, const CLI::Option& option) {
    out += ".TP\n" + option_head(option) + "\n";
    std::string text = option.get_description();
    if (text.empty()) text = "No description";
    out += roff(text) + ".\n";
    if (const std::string range = range_of(option); !range.empty())
        out += "Range: " + roff(range) + ".\n";
    const std::string value = option.get_default_str();
    if (!value.empty() && value != "[]" && value != "{}") out += "Default: " + roff(value) + ".\n";
    if (option.get_required()) out += "Required.\n";
    if (!is_setting(option)) return;
    const auto names = variable_names(path, setting_name(option), option.get_envname());
    std::vector<std::string> shown;
    for (const std::string& name : names) shown.push_back(bold(name));
    out += "Variable: " + CLI::detail::join(shown, ", ") + ".\n";
}

void put_options(std::string& out, const CLI::App& command) {
    const auto options = shown_options(command);
    if (options.empty()) return;
    out += ".SH OPTIONS\n";
    std::vector<std::string> groups;
    for (const CLI::Option* option : options) {
        if (std::ranges::find(groups, option->get_group()) == groups.end())
            groups.push_back(option->get_group());
    }
    for (const std::string& group : groups) {
        if (group != "Options") out += ".SS " + roff(group) + "\n";
        for (const CLI::Option* option : options) {
            if (option->get_group() == group) put_option(out, path_of(command), *option);
        }
    }
}

void put_synopsis(std::string& out, const CLI::App& command) {
    out += ".SH SYNOPSIS\n" + bold(spaced(command));
    if (!shown_options(command).empty()) out += " [\\fIOPTION\\fR ...]";
    if (!subcommands_of(command).empty()) out += " \\fICOMMAND\\fR ...";
    for (const CLI::Option* argument : arguments_of(command)) {
        std::string name = "\\fI" + roff(argument->get_name(true)) + "\\fR";
        if (takes_list(*argument)) name += " ...";
        out += argument->get_required() ? " " + name : " [" + name + "]";
    }
    out += "\n";
}

void put_arguments(std::string& out, const CLI::App& command) {
    const auto arguments = arguments_of(command);
    if (arguments.empty()) return;
    out += ".SH ARGUMENTS\n";
    for (const CLI::Option* argument : arguments) {
        out += ".TP\n\\fI" + roff(argument->get_name(true)) + "\\fR\n" +
               roff(argument->get_description()) + ".\n";
    }
}

void put_commands(std::string& out, const CLI::App& command) {
    const auto subs = subcommands_of(command);
    if (subs.empty()) return;
    out += ".SH COMMANDS\n";
    for (const CLI::App* sub : subs) {
        out += ".TP\n\\fB" + roff(man_page_name(*sub)) + "\\fR(1)\n" +
               roff(sub->get_description()) + ".\n";
    }
}

void put_configuration(std::string& out, const CLI::App& command) {
    const CommandPath path = path_of(command);
    const std::string table = CLI::detail::join(path, ".");
    out += ".SH CONFIGURATION\n";
    out +=
        "A flag wins over its variable, this over the configuration file, this over the "
        "default.\n";
    out += path.empty()
               ? "Keys are the long names of options"
               : "Keys are the long names of options, in the table " + bold("[" + table + "]");
    out += " of the file that " + bold("--config") + " or " + bold("TEETEE_CONFIG") +
           " names, else of the files below.\n";
    out += ".SH FILES\n.TP\n.I " + roff("~/.config/teetee/config.toml") +
           "\nSettings of a user.\n.TP\n.I " + roff("/etc/teetee/config.toml") +
           "\nSettings of a machine.\n";
}

void put_ends(std::string& out, const CLI::App& command) {
    out +=
        ".SH EXIT STATUS\n"
        ".TP\n0\nDone.\n"
        ".TP\n1\nThe thing asked about is not so.\n"
        ".TP\n2\nWrong usage.\n"
        ".TP\n3\nThe environment lacks something.\n";
    std::vector<std::string> others;
    for (const CLI::App* at = command.get_parent(); at != nullptr; at = at->get_parent())
        others.push_back(bold(man_page_name(*at)) + "(1)");
    for (const CLI::App* sub : subcommands_of(command))
        others.push_back(bold(man_page_name(*sub)) + "(1)");
    if (!others.empty()) out += ".SH SEE ALSO\n" + CLI::detail::join(others, ",\n") + "\n";
}

}  // namespace

std::string man_page_name(const CLI::App& command) {
    std::string out = "teetee";
    for (const std::string& word : path_of(command)) out += "-" + word;
    return out;
}

std::string man_page(const CLI::App& command, const std::string& version) {
    std::string name = man_page_name(command);
    std::string title = CLI::detail::to_lower(name);
    std::ranges::transform(title, title.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    std::string out = fmt::format(".TH \"{}\" 1 \"\" \"teetee {}\" \"TeeTee\"\n.nh\n.ad l\n",
                                  roff(title), roff(version));
    out += ".SH NAME\n" + roff(name) + " \\- " + roff(command.get_description()) + "\n";
    put_synopsis(out, command);
    out += ".SH DESCRIPTION\n" + roff(command.get_description()) + ".\n";
    put_arguments(out, command);
    put_commands(out, command);
    put_options(out, command);
    put_configuration(out, command);
    put_ends(out, command);
    return out;
}

}  // namespace teetee::cli
