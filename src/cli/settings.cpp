// SPDX-License-Identifier: Apache-2.0
#include "cli/settings.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/command.hpp"

namespace teetee::cli {
namespace {

using Kind = ConfigScalar::Kind;

void for_each_command(CLI::App& command, const std::function<void(CLI::App&)>& body) {
    body(command);
    for (CLI::App* sub : command.get_subcommands([](CLI::App*) { return true; }))
        for_each_command(*sub, body);
}

std::string table_text(const CommandPath& path) {
    return path.empty() ? "above the first table" : "in [" + CLI::detail::join(path, ".") + "]";
}

std::vector<std::string> names_in(CLI::App& command) {
    std::vector<std::string> out;
    for (const CLI::Option* option : settings_of(command)) out.push_back(setting_name(*option));
    return out;
}

std::vector<std::string> subcommand_names(const CLI::App& command) {
    std::vector<std::string> out;
    for (const CLI::App* sub : subcommands_of(command)) out.push_back(sub->get_name());
    return out;
}

CLI::Option* find_setting(CLI::App& command, std::string_view name) {
    for (CLI::Option* option : settings_of(command)) {
        if (setting_name(*option) == name) return option;
    }
    return nullptr;
}

std::string meant(const std::string& name) {
    return name.empty() ? std::string() : ": did you mean '" + name + "'?";
}

Error invalid(std::string detail) {
    return fail(ErrorCode::config_invalid, std::move(detail));
}

std::string_view show(Kind kind) {
    switch (kind) {
        case Kind::text:
            return "a string";
        case Kind::integer:
            return "a whole number";
        case Kind::real:
            return "a number";
        case Kind::boolean:
            return "true or false";
    }
    return "";
}

bool fits(ValueKind need, Kind have) {
    switch (need) {
        case ValueKind::flag:
            return have == Kind::boolean;
        case ValueKind::integer:
            return have == Kind::integer;
        case ValueKind::real:
            return have == Kind::integer || have == Kind::real;
        case ValueKind::text:
            return have == Kind::text;
        case ValueKind::word:
            return have != Kind::boolean;
    }
    return false;
}

std::string_view show(ValueKind kind) {
    switch (kind) {
        case ValueKind::flag:
            return show(Kind::boolean);
        case ValueKind::integer:
            return show(Kind::integer);
        case ValueKind::real:
            return show(Kind::real);
        case ValueKind::text:
        case ValueKind::word:
            return show(Kind::text);
    }
    return "";
}

/// The option's own checks and conversion, on the tree that nothing is run by.
Result<void> try_values(CLI::Option& option, const std::vector<std::string>& values) {
    option.clear();
    try {
        option.add_result(values);
        option.run_callback();
        return {};
    } catch (const CLI::Error& error) {
        const bool secret = is_secret(setting_name(option));
        return invalid(secret ? "the value is not accepted" : error.what());
    }
}

/// "false" turns off what another source turned on: as if the flag were not there.
std::vector<std::string> as_flag(const CLI::Option& option, std::vector<std::string> values) {
    if (value_kind(option) != ValueKind::flag) return values;
    try {
        if (values.size() == 1 && CLI::detail::to_flag_value(values.front()) <= 0) return {};
    } catch (const std::invalid_argument&) {
        // try_values has refused it already.
        return {};
    }
    return values;
}

std::vector<std::string> texts_of(const ConfigEntry& entry) {
    std::vector<std::string> out;
    for (const ConfigScalar& value : entry.values) out.push_back(value.text);
    return out;
}

std::vector<std::string> default_values(const CLI::Option& option) {
    if (value_kind(option) == ValueKind::flag) return {"false"};
    const std::string text = option.get_default_str();
    if (text.empty() || text == "[]" || text == "{}") return {};
    if (takes_list(option) && text.starts_with('[') && text.ends_with(']'))
        return CLI::detail::split(text.substr(1, text.size() - 2), ',');
    return {text};
}

bool from_file(const std::vector<ConfigFile>& files, Setting& setting) {
    for (const CommandPath& table : setting_tables(setting.command)) {
        for (const ConfigFile& file : files) {
            for (const ConfigEntry& entry : file.entries) {
                if (entry.table != table || entry.key != setting.name) continue;
                setting.values = texts_of(entry);
                setting.source = SettingSource::file;
                setting.origin = fmt::format("{}:{}", file.path, entry.line);
                return true;
            }
        }
    }
    return false;
}

/// Of options that exclude each other the one from the stronger source stays.
void drop_excluded(std::vector<Setting>& settings, CLI::App& command) {
    std::map<const CLI::Option*, Setting*> by_option;
    for (Setting& setting : settings) by_option[find_setting(command, setting.name)] = &setting;
    for (const auto& [option, setting] : by_option) {
        if (option == nullptr || setting->source == SettingSource::fallback) continue;
        for (const CLI::Option* other : option->get_excludes()) {
            const auto found = by_option.find(other);
            if (found == by_option.end() || found->second->source >= setting->source) continue;
            setting->values = default_values(*option);
            setting->source = SettingSource::fallback;
            setting->origin = "not with --" + found->second->name;
        }
    }
}

}  // namespace

std::string_view to_string(SettingSource source) {
    switch (source) {
        case SettingSource::flag:
            return "flag";
        case SettingSource::environment:
            return "environment";
        case SettingSource::file:
            return "file";
        case SettingSource::fallback:
            return "default";
    }
    return "";
}

SettingsTrial::SettingsTrial(const AddCommands& add_commands)
    : session_(std::make_unique<Session>()), root_(std::make_unique<CLI::App>()) {
    add_commands(*root_, *session_);
    for_each_command(*root_, [&](CLI::App& command) {
        if (command.get_require_subcommand_min() > 0) command.require_subcommand(0, 1);
        for (CLI::Option* option : command.get_options()) {
            // Now, for nothing was parsed yet into what is behind the option.
            if (option->get_default_str().empty()) option->capture_default_str();
            shared_variables_[option] = option->get_envname();
            option->required(false)->envname("");
        }
    });
    // Never given: parsing ends here, and calls no command.
    root_->add_flag("--never")->group("")->required();
}

SettingsTrial::~SettingsTrial() = default;

void SettingsTrial::read_arguments(const std::vector<std::string>& arguments) {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
        root_->parse(std::move(reversed));
    } catch (const CLI::Error&) {
        // What was read before is there.
    }
    for_each_command(*root_, [&](CLI::App& command) {
        for (const CLI::Option* option : command.get_options()) {
            if (option->count() > 0) given_[option] = option->results();
        }
    });
}

bool SettingsTrial::is_about_nothing() const {
    const auto chain = called_chain(*root_);
    const auto is_asked = [&](CLI::App* command) {
        return given_.contains(command->get_help_ptr()) ||
               given_.contains(command->get_version_ptr());
    };
    return chain.size() == 1 || std::ranges::any_of(chain, is_asked);
}

std::optional<std::string> SettingsTrial::flag_value(const std::string& name) const {
    const auto found = given_.find(root_->get_option_no_throw("--" + name));
    if (found == given_.end()) return std::nullopt;
    return found->second.back();
}

CommandPath SettingsTrial::called() const {
    return path_of(*called_chain(*root_).back());
}

Result<void> SettingsTrial::check(const ConfigFile& file) {
    for (const ConfigTable& table : file.tables) TT_CHECK(check_table(table, file.path));
    for (const ConfigEntry& entry : file.entries) TT_CHECK(check_entry(entry, file.path));
    return {};
}

Result<void> SettingsTrial::check_table(const ConfigTable& table, const std::string& file) {
    CommandPath above = table.path;
    const std::string name = above.back();
    above.pop_back();
    // One of those above it was refused before where it is not there.
    CLI::App* parent = find_command(*root_, above);
    if (parent == nullptr || find_command(*root_, table.path) != nullptr) return {};
    const std::string where = fmt::format("{}:{}: ", file, table.line);
    if (const CLI::Option* option = find_setting(*parent, name); option != nullptr) {
        return invalid(
            fmt::format("{}{}: have a table, need {}", where, name, show(value_kind(*option))));
    }
    std::string best = nearest_name(name, subcommand_names(*parent));
    if (!best.empty() && !above.empty()) best = CLI::detail::join(above, ".") + "." + best;
    return invalid(where + "no command has the table " +
                   quote_foreign(CLI::detail::join(table.path, ".")) +
                   (best.empty() ? "" : ": did you mean [" + best + "]?"));
}

Error SettingsTrial::unknown_key(CLI::App& command, const ConfigEntry& entry,
                                 const std::string& file) {
    std::string hint = meant(nearest_name(entry.key, names_in(command)));
    if (hint.empty()) {
        std::vector<std::string> elsewhere;
        for_each_command(*root_, [&](CLI::App& other) {
            if (find_setting(other, entry.key) != nullptr)
                elsewhere.push_back("[" + CLI::detail::join(path_of(other), ".") + "]");
        });
        if (!elsewhere.empty()) hint = ": it is of " + CLI::detail::join(elsewhere, ", ");
    }
    return invalid(fmt::format("{}:{}: unknown key {} {}{}", file, entry.line,
                               quote_foreign(entry.key), table_text(entry.table), hint));
}

Result<void> SettingsTrial::check_entry(const ConfigEntry& entry, const std::string& file) {
    CLI::App* command = find_command(*root_, entry.table);
    if (command == nullptr) return {};
    CLI::Option* option = find_setting(*command, entry.key);
    if (option == nullptr) return unknown_key(*command, entry, file);
    const std::string where =
        fmt::format("{}:{}: {} {}: ", file, entry.line, entry.key, table_text(entry.table));
    if (entry.is_list && !takes_list(*option))
        return invalid(where + "takes one value, have a list");
    const ValueKind need = value_kind(*option);
    for (const ConfigScalar& value : entry.values) {
        if (!fits(need, value.kind))
            return invalid(where + fmt::format("have {}, need {}", show(value.kind), show(need)));
    }
    if (entry.values.empty()) return {};
    if (auto tried = try_values(*option, texts_of(entry)); !tried)
        return invalid(where + tried.error().detail);
    return {};
}

Result<bool> SettingsTrial::from_variable(CLI::Option& option, const Variables& variables,
                                          Setting& setting) {
    const auto names =
        variable_names(setting.command, setting_name(option), shared_variables_[&option]);
    for (const std::string& name : names) {
        const auto value = variables(name);
        if (!value) continue;
        if (auto tried = try_values(option, {*value}); !tried)
            return invalid(name + ": " + tried.error().detail);
        setting.values = {*value};
        setting.source = SettingSource::environment;
        setting.origin = name;
        return true;
    }
    return false;
}

Result<std::vector<Setting>> SettingsTrial::settings(const CommandPath& path,
                                                     const Variables& variables,
                                                     const std::vector<ConfigFile>& files) {
    CLI::App* command = find_command(*root_, path);
    if (command == nullptr) return std::vector<Setting>();
    std::vector<Setting> out;
    for (CLI::Option* option : settings_of(*command)) {
        Setting setting = {
            .command = path, .name = setting_name(*option), .is_list = takes_list(*option)};
        if (const auto given = given_.find(option); given != given_.end()) {
            setting.values = given->second;
            setting.source = SettingSource::flag;
            out.push_back(std::move(setting));
            continue;
        }
        TT_TRY(const bool is_set, from_variable(*option, variables, setting));
        if (!is_set && !from_file(files, setting)) setting.values = default_values(*option);
        out.push_back(std::move(setting));
    }
    drop_excluded(out, *command);
    return out;
}

void put_settings(CLI::App& root, const std::vector<Setting>& settings) {
    // The library would look at the variables of every command, and refuse what one of another
    // command is.
    for_each_command(root, [](CLI::App& command) {
        for (CLI::Option* option : command.get_options()) option->envname("");
    });
    for (const Setting& setting : settings) {
        if (setting.source != SettingSource::environment && setting.source != SettingSource::file)
            continue;
        CLI::App* command = find_command(root, setting.command);
        CLI::Option* option = command == nullptr ? nullptr : find_setting(*command, setting.name);
        if (option == nullptr) continue;
        for (std::string& value : as_flag(*option, setting.values))
            option->add_result(std::move(value));
    }
}

}  // namespace teetee::cli
