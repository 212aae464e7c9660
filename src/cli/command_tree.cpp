// SPDX-License-Identifier: Apache-2.0
#include "cli/command_tree.hpp"

#include <algorithm>
#include <array>

namespace teetee::cli {
namespace {

std::string with_dashes(std::string_view name) {
    std::string out(name);
    std::ranges::replace(out, '_', '-');
    return CLI::detail::to_lower(out);
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one to the other.
size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<size_t>> rows(a.size() + 1, std::vector<size_t>(b.size() + 1));
    for (size_t i = 0; i <= a.size(); ++i) {
        for (size_t k = 0; k <= b.size(); ++k) {
            size_t& best = rows[i][k];
            if (i == 0 || k == 0) {
                best = i + k;
                continue;
            }
            const size_t replaced = rows[i - 1][k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1);
            best = std::min({rows[i - 1][k] + 1, rows[i][k - 1] + 1, replaced});
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                best = std::min(best, rows[i - 2][k - 2] + 1);
        }
    }
    return rows[a.size()][b.size()];
}

/// What the library calls the type, without what it adds of checks.
std::string type_word(const CLI::Option& option) {
    const std::string whole = option.get_type_name();
    return whole.substr(0, whole.find(':'));
}

}  // namespace

ValueKind value_kind(const CLI::Option& option) {
    if (option.get_expected_max() == 0 || option.get_items_expected_max() == 0)
        return ValueKind::flag;
    const std::string word = type_word(option);
    if (word == "BOOLEAN") return ValueKind::flag;
    if (word == "INT" || word == "UINT") return ValueKind::integer;
    if (word == "FLOAT") return ValueKind::real;
    return word == "TEXT" ? ValueKind::text : ValueKind::word;
}

bool takes_list(const CLI::Option& option) {
    return option.get_expected_max() > 1;
}

std::vector<std::string> listed_values(const CLI::Option& option) {
    const std::string whole = option.get_type_name();
    const size_t begin = whole.find('{');
    const size_t end = whole.find('}', std::min(begin, whole.size()));
    if (begin == std::string::npos || end == std::string::npos) return {};
    auto values = CLI::detail::split(whole.substr(begin + 1, end - begin - 1), ',');
    // CLI11 writes names that stand for something as "on->1".
    for (std::string& value : values) value.resize(std::min(value.find("->"), value.size()));
    return values;
}

std::string value_name(const CLI::Option& option) {
    if (value_kind(option) == ValueKind::flag) return {};
    const auto listed = listed_values(option);
    if (!listed.empty()) return "{" + CLI::detail::join(listed, ",") + "}";
    return type_word(option);
}

std::string setting_name(const CLI::Option& option) {
    if (!option.get_lnames().empty()) return option.get_lnames().front();
    return option.get_snames().empty() ? std::string() : option.get_snames().front();
}

bool is_setting(const CLI::Option& option) {
    const std::string name = setting_name(option);
    const bool is_about_the_call = name == "help" || name == "version" || name == "config";
    return option.nonpositional() && !option.get_positional() && !is_about_the_call &&
           !option.get_group().empty();
}

bool is_secret(std::string_view name) {
    constexpr std::array<std::string_view, 5> words = {"token", "password", "secret", "key",
                                                       "prompt"};
    const size_t dash = name.rfind('-');
    return std::ranges::find(
               words, dash == std::string_view::npos ? name : name.substr(dash + 1)) != words.end();
}

std::vector<const CLI::Option*> shown_options(const CLI::App& command) {
    return command.get_options([](const CLI::Option* option) {
        return option->nonpositional() && !option->get_group().empty();
    });
}

std::vector<const CLI::Option*> arguments_of(const CLI::App& command) {
    return command.get_options([](const CLI::Option* option) {
        return !option->nonpositional() && !option->get_group().empty();
    });
}

std::vector<CLI::Option*> settings_of(CLI::App& command) {
    std::vector<CLI::Option*> out;
    for (CLI::Option* option : command.get_options()) {
        if (is_setting(*option)) out.push_back(option);
    }
    return out;
}

std::vector<const CLI::App*> subcommands_of(const CLI::App& command) {
    return command.get_subcommands([](const CLI::App* sub) { return !sub->get_name().empty(); });
}

std::vector<CLI::App*> called_chain(CLI::App& root) {
    std::vector<CLI::App*> out = {&root};
    for (auto called = root.get_subcommands(); !called.empty();
         called = called.front()->get_subcommands()) {
        out.push_back(called.front());
    }
    return out;
}

CLI::App* find_command(CLI::App& root, const CommandPath& path) {
    CLI::App* at = &root;
    for (const std::string& name : path) {
        const auto found =
            at->get_subcommands([&](CLI::App* sub) { return sub->get_name() == name; });
        if (found.empty()) return nullptr;
        at = found.front();
    }
    return at;
}

CommandPath path_of(const CLI::App& command) {
    CommandPath out;
    for (const CLI::App* at = &command; at->get_parent() != nullptr; at = at->get_parent())
        out.insert(out.begin(), at->get_name());
    return out;
}

std::vector<CommandPath> setting_tables(const CommandPath& path) {
    if (path == CommandPath{"doctor"}) return {path, {"node"}};
    return {path};
}

std::string variable_name(const CommandPath& path, std::string_view setting) {
    std::string out = "TEETEE";
    for (const std::string& word : path) out += "_" + word;
    out += "_" + std::string(setting);
    std::ranges::replace(out, '-', '_');
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return out;
}

std::vector<std::string> variable_names(const CommandPath& path, std::string_view setting,
                                        const std::string& shared) {
    std::vector<std::string> out;
    for (const CommandPath& table : setting_tables(path))
        out.push_back(variable_name(table, setting));
    if (!shared.empty() && std::ranges::find(out, shared) == out.end()) out.push_back(shared);
    return out;
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& names) {
    constexpr size_t name_bytes_max = 64;
    if (name.size() > name_bytes_max) return {};
    const std::string wanted = with_dashes(name);
    std::string best;
    size_t best_distance = std::max<size_t>(2, wanted.size() / 3) + 1;
    for (const std::string& candidate : names) {
        const size_t distance = edit_distance(wanted, with_dashes(candidate));
        if (distance >= best_distance || distance >= candidate.size()) continue;
        best = candidate;
        best_distance = distance;
    }
    return best;
}

}  // namespace teetee::cli
