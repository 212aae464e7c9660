// SPDX-License-Identifier: Apache-2.0
#include "cli/chat_command.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cli/conversation.hpp"

namespace teetee::cli {
namespace {

enum class Takes { nothing, maybe, something };

struct Entry {
    std::string_view name;
    ChatVerb verb;
    Takes takes;
    std::string_view argument;
    std::string_view help;
};

constexpr Entry table[] = {
    {"help", ChatVerb::help, Takes::nothing, "", "what can be typed"},
    {"new", ChatVerb::start_anew, Takes::nothing, "", "forget what was said"},
    {"system", ChatVerb::system, Takes::maybe, "TEXT", "how to behave; without TEXT nothing of it"},
    {"retry", ChatVerb::retry, Takes::nothing, "", "another answer to the last prompt"},
    {"undo", ChatVerb::undo, Takes::nothing, "", "take the last prompt and its answer back"},
    {"set", ChatVerb::set, Takes::maybe, "NAME VALUE",
     "a setting, off to take it away; alone: all"},
    {"save", ChatVerb::save, Takes::something, "FILE", "write the conversation, for you alone"},
    {"load", ChatVerb::load, Takes::something, "FILE", "go on with one that was saved"},
    {"proof", ChatVerb::proof, Takes::nothing, "", "who computed the last answer, every check"},
    {"cost", ChatVerb::cost, Takes::nothing, "", "tokens, price, what was spent and what is left"},
    {"entry", ChatVerb::entry, Takes::nothing, "", "who is asked, over which route"},
    {"quit", ChatVerb::quit, Takes::nothing, "", "end, as Ctrl-D does"},
};

std::string_view trimmed(std::string_view text) {
    const size_t begin = text.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

constexpr std::string_view quotes = "\"\"\"";

}  // namespace

Result<ChatCommand> parse_chat_command(std::string_view text) {
    if (text.starts_with("//")) return ChatCommand{ChatVerb::say, std::string(text.substr(1))};
    if (!text.starts_with('/')) return ChatCommand{ChatVerb::say, std::string(text)};
    text.remove_prefix(1);
    const size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    const std::string_view argument = trimmed(text.substr(end));
    const auto* found = std::ranges::find(table, text.substr(0, end), &Entry::name);
    if (found == std::end(table)) {
        std::string names;
        for (const Entry& one : table) names += fmt::format(" /{}", one.name);
        return fail(ErrorCode::invalid_argument,
                    "there is no such command; there are" + names + "; // begins a text with a /");
    }
    if (found->takes == Takes::something && argument.empty()) {
        return fail(ErrorCode::invalid_argument,
                    fmt::format("/{} needs {}", found->name, found->argument));
    }
    if (found->takes == Takes::nothing && !argument.empty())
        return fail(ErrorCode::invalid_argument, fmt::format("/{} stands alone", found->name));
    return ChatCommand{found->verb, std::string(argument)};
}

std::string chat_help() {
    std::string out;
    for (const Entry& one : table) {
        const std::string usage = fmt::format("/{} {}", one.name, one.argument);
        out += fmt::format("  {:<18} {}\n", usage, one.help);
    }
    out += fmt::format(
        "settings: {}\n"
        "A line that ends in \\ goes on in the next; lines between \"\"\" and \"\"\" are one "
        "text.\n"
        "Ctrl-C stops an answer, Ctrl-D ends, Ctrl-R looks for what was typed before.\n",
        setting_names());
    return out;
}

bool ChatInput::add(std::string_view line) {
    const bool is_first = !std::exchange(is_begun_, true);
    if (is_first && line.starts_with(quotes)) {
        is_quoted_ = true;
        line.remove_prefix(quotes.size());
    }
    const std::string_view mark = is_quoted_ ? quotes : "\\";
    const bool has_mark = line.ends_with(mark);
    if (has_mark) line.remove_suffix(mark.size());
    // Quotes that stand alone are no line of the text.
    if (!is_quoted_ || !line.empty() || !(is_first || has_mark)) text_.append(line).append("\n");
    return has_mark == is_quoted_;
}

std::string ChatInput::take() {
    is_begun_ = false;
    is_quoted_ = false;
    if (text_.ends_with('\n')) text_.pop_back();
    return std::exchange(text_, {});
}

}  // namespace teetee::cli
