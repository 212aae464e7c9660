// SPDX-License-Identifier: Apache-2.0
#include "cli/completion_script.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/shell_word.hpp"

namespace teetee::cli {
namespace {

/// An option by one of its names, as it stands on the command line.
struct NamedOption {
    std::string name;
    const CLI::Option* option = nullptr;
};

struct CommandWords {
    /// "node", "attest verify"; "" for the program itself.
    std::string path;
    const CLI::App* command = nullptr;
    std::vector<NamedOption> options;
};

std::vector<NamedOption> named_options(const CLI::App& command) {
    std::vector<NamedOption> out;
    for (const CLI::Option* option : shown_options(command)) {
        for (const std::string& name : option->get_snames()) out.push_back({"-" + name, option});
        for (const std::string& name : option->get_lnames()) out.push_back({"--" + name, option});
    }
    return out;
}

void collect(const CLI::App& command, std::vector<CommandWords>& out) {
    out.push_back({CLI::detail::join(path_of(command), " "), &command, named_options(command)});
    for (const CLI::App* sub : subcommands_of(command)) collect(*sub, out);
}

/// Options of the program itself stand behind every command.
std::vector<NamedOption> with_common(const CommandWords& words,
                                     const std::vector<CommandWords>& all) {
    std::vector<NamedOption> out = words.options;
    if (&words == &all.front()) return out;
    for (const NamedOption& common : all.front().options) {
        const bool is_there = std::ranges::any_of(
            out, [&](const NamedOption& named) { return named.name == common.name; });
        if (!is_there && common.name != "--version") out.push_back(common);
    }
    return out;
}

/// The first clause will do beside a name.
std::string brief(const std::string& description) {
    std::string out = description.substr(0, description.find_first_of(";:"));
    constexpr size_t bytes_max = 72;
    if (out.size() > bytes_max) out = out.substr(0, out.rfind(' ', bytes_max)) + " ..";
    return out;
}

std::string names_of(const std::vector<NamedOption>& options, bool with_value) {
    std::vector<std::string> out;
    for (const NamedOption& named : options) {
        if ((value_kind(*named.option) != ValueKind::flag) == with_value) out.push_back(named.name);
    }
    return CLI::detail::join(out, " ");
}

bool may_be_file(const CLI::Option& option) {
    return value_kind(option) == ValueKind::text && listed_values(option).empty();
}

/// Of the arguments that have a list of them.
std::string argument_values(const CLI::App& command) {
    std::vector<std::string> out;
    for (const CLI::Option* argument : arguments_of(command)) {
        for (std::string& value : listed_values(*argument)) out.push_back(std::move(value));
    }
    return CLI::detail::join(out, " ");
}

/// Branches of `case "$path $option"` for options that take a value, in both shells that have it.
std::string value_cases(const std::vector<CommandWords>& all) {
    std::string out;
    for (const CommandWords& words : all) {
        for (const NamedOption& named : with_common(words, all)) {
            const auto listed = listed_values(*named.option);
            if (value_kind(*named.option) == ValueKind::flag || may_be_file(*named.option))
                continue;
            out += fmt::format("        {}) values={} ;;\n",
                               shell_quoted(words.path + " " + named.name),
                               shell_quoted(CLI::detail::join(listed, " ")));
        }
    }
    return out;
}

std::string command_cases(const std::vector<CommandWords>& all) {
    std::string out;
    for (const CommandWords& words : all) {
        std::vector<std::string> subs;
        for (const CLI::App* sub : subcommands_of(*words.command)) subs.push_back(sub->get_name());
        const auto options = with_common(words, all);
        out += fmt::format(
            "        {})\n            commands={}\n            arguments={}\n"
            "            flags={}\n            valued={} ;;\n",
            shell_quoted(words.path), shell_quoted(CLI::detail::join(subs, " ")),
            shell_quoted(argument_values(*words.command)), shell_quoted(names_of(options, false)),
            shell_quoted(names_of(options, true)));
    }
    return out;
}

/// What the two shells have in common: where in the tree the words lead to.
std::string tables(const std::vector<CommandWords>& all) {
    return "# Sets commands, arguments, flags and valued: what may follow the command in $1.\n"
           "_teetee_words() {\n"
           "    commands='' arguments='' flags='' valued=''\n"
           "    case \"$1\" in\n" +
           command_cases(all) +
           "    esac\n}\n\n"
           "# Sets values: those of the option in $1, '' for none; 'FILES' where a file may "
           "stand.\n"
           "_teetee_values() {\n"
           "    case \"$1\" in\n" +
           value_cases(all) +
           "        *) values=FILES ;;\n"
           "    esac\n}\n\n"
           "# Sets path and option: the command that the words lead to, and the option whose value "
           "comes next.\n"
           "_teetee_walk() {\n"
           "    local word commands arguments flags valued\n"
           "    path='' option=''\n"
           "    _teetee_words \"$path\"\n"
           "    for word in \"$@\"; do\n"
           "        if [ -n \"$option\" ]; then\n"
           "            [ \"$word\" = '=' ] || option=''\n"
           "            continue\n"
           "        fi\n"
           "        case \" $valued \" in\n"
           "            *\" $word \"*) option=$word; continue ;;\n"
           "        esac\n"
           "        case \" $commands \" in\n"
           "            *\" $word \"*)\n"
           "                path=\"${path:+$path }$word\"\n"
           "                _teetee_words \"$path\" ;;\n"
           "        esac\n"
           "    done\n}\n\n";
}

std::string bash_script(const std::vector<CommandWords>& all) {
    return "# bash completion of teetee; made by `teetee completion bash`.\n\n" + tables(all) +
           "_teetee() {\n"
           "    local path option values commands arguments flags valued\n"
           "    local current=${COMP_WORDS[COMP_CWORD]}\n"
           "    # What stands behind '=' is a word of its own here.\n"
           "    [ \"$current\" = '=' ] && current=''\n"
           "    _teetee_walk \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"\n"
           "    COMPREPLY=()\n"
           "    if [ -n \"$option\" ]; then\n"
           "        _teetee_values \"$path $option\"\n"
           "    else\n"
           "        _teetee_words \"$path\"\n"
           "        values=${commands:-$arguments}\n"
           "        case \"$current\" in\n"
           "            -*) values=\"$flags $valued\" ;;\n"
           "        esac\n"
           "        [ -n \"$values\" ] || values=FILES\n"
           "    fi\n"
           "    if [ \"$values\" = FILES ]; then\n"
           "        compopt -o filenames 2>/dev/null\n"
           "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
           "    else\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$current\")\n"
           "    fi\n"
           "}\n\n"
           "complete -F _teetee teetee\n";
}

/// 'name:what it is', for zsh's _describe.
std::string descriptions(const std::vector<CommandWords>& all) {
    std::string out =
        "# Sets described: names of $1 with what they are.\n"
        "_teetee_described() {\n"
        "    described=()\n"
        "    case \"$1\" in\n";
    for (const CommandWords& words : all) {
        std::string options;
        for (const NamedOption& named : with_common(words, all))
            options +=
                " " + shell_quoted(named.name + ":" + brief(named.option->get_description()));
        std::string subs;
        for (const CLI::App* sub : subcommands_of(*words.command))
            subs += " " + shell_quoted(sub->get_name() + ":" + brief(sub->get_description()));
        out += fmt::format("        {}) described=({} ) ;;\n",
                           shell_quoted("options " + words.path), options);
        if (!subs.empty())
            out += fmt::format("        {}) described=({} ) ;;\n",
                               shell_quoted("commands " + words.path), subs);
    }
    return out + "    esac\n}\n\n";
}

std::string zsh_script(const std::vector<CommandWords>& all) {
    return "#compdef teetee\n# zsh completion of teetee; made by `teetee completion zsh`.\n\n" +
           tables(all) + descriptions(all) +
           "_teetee() {\n"
           "    local path option values commands arguments flags valued\n"
           "    local -a described\n"
           "    local current=${words[CURRENT]}\n"
           "    _teetee_walk \"${(@)words[2,CURRENT-1]}\"\n"
           "    if [[ $current == --*=* ]]; then\n"
           "        option=${current%%=*}\n"
           "        compset -P '*='\n"
           "    fi\n"
           "    if [[ -n $option ]]; then\n"
           "        _teetee_values \"$path $option\"\n"
           "        if [[ $values == FILES ]]; then\n"
           "            _files\n"
           "        else\n"
           "            compadd -- ${=values}\n"
           "        fi\n"
           "        return\n"
           "    fi\n"
           "    if [[ $current == -* ]]; then\n"
           "        _teetee_described \"options $path\"\n"
           "        _describe -o option described\n"
           "        return\n"
           "    fi\n"
           "    _teetee_described \"commands $path\"\n"
           "    if (( $#described )); then\n"
           "        _describe command described\n"
           "        return\n"
           "    fi\n"
           "    _teetee_words \"$path\"\n"
           "    if [[ -n $arguments ]]; then\n"
           "        compadd -- ${=arguments}\n"
           "    else\n"
           "        _files\n"
           "    fi\n"
           "}\n\n"
           "if [[ $funcstack[1] == _teetee ]]; then\n"
           "    _teetee \"$@\"\n"
           "else\n"
           "    compdef _teetee teetee\n"
           "fi\n";
}

std::string fish_line(const CommandWords& words, const NamedOption& named) {
    const bool is_long = named.name.starts_with("--");
    std::string out = fmt::format("complete -c teetee -n {} {} {}",
                                  shell_quoted("__teetee_at " + shell_quoted(words.path)),
                                  is_long ? "-l" : "-s", named.name.substr(is_long ? 2 : 1));
    if (value_kind(*named.option) != ValueKind::flag) {
        out += may_be_file(*named.option) ? " -r -F" : " -x";
        const auto listed = listed_values(*named.option);
        if (!listed.empty()) out += " -a " + shell_quoted(CLI::detail::join(listed, " "));
    }
    return out + " -d " + shell_quoted(brief(named.option->get_description())) + "\n";
}

std::string fish_script(const std::vector<CommandWords>& all) {
    std::string out =
        "# fish completion of teetee; made by `teetee completion fish`.\n\n"
        "# Whether the words so far lead to the command in $argv[1].\n"
        "function __teetee_at\n"
        "    set -l path ''\n"
        "    for word in (commandline -opc)[2..-1]\n"
        "        switch \"$path $word\"\n"
        "            case";
    for (const CommandWords& words : all) {
        if (words.path.empty()) continue;
        const size_t last = words.path.rfind(' ');
        const bool is_deep = last != std::string::npos;
        out += " " + shell_quoted((is_deep ? words.path.substr(0, last) : std::string()) + " " +
                                  words.path.substr(is_deep ? last + 1 : 0));
    }
    out +=
        "\n                set path (string trim -- \"$path $word\")\n"
        "        end\n"
        "    end\n"
        "    test \"$path\" = \"$argv[1]\"\n"
        "end\n\n"
        "complete -c teetee -e\n";
    for (const CommandWords& words : all) {
        for (const CLI::App* sub : subcommands_of(*words.command)) {
            out += fmt::format("complete -c teetee -n {} -f -a {} -d {}\n",
                               shell_quoted("__teetee_at " + shell_quoted(words.path)),
                               sub->get_name(), shell_quoted(brief(sub->get_description())));
        }
        if (const std::string values = argument_values(*words.command); !values.empty()) {
            out += fmt::format("complete -c teetee -n {} -f -a {}\n",
                               shell_quoted("__teetee_at " + shell_quoted(words.path)),
                               shell_quoted(values));
        }
        for (const NamedOption& named : with_common(words, all)) out += fish_line(words, named);
    }
    return out;
}

}  // namespace

std::string completion_script(const CLI::App& root, Shell shell) {
    std::vector<CommandWords> all;
    collect(root, all);
    switch (shell) {
        case Shell::bash:
            return bash_script(all);
        case Shell::zsh:
            return zsh_script(all);
        case Shell::fish:
            return fish_script(all);
    }
    return {};
}

}  // namespace teetee::cli
