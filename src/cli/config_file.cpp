// SPDX-License-Identifier: Apache-2.0
// The one file that sees the TOML library: it is header-only and slow to compile.
#include "cli/config_file.hpp"

#include <algorithm>

#include <fmt/format.h>
// A file that nests deeper says nothing that a command could take.
#define TOML_MAX_NESTED_VALUES 4
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/impl/preprocessor.h>
// One of the library's assertions is of the file and not of itself: that a table's name begins like
// one. What stands behind it refuses such a file, where no assertion stops the process and no
// compiler takes it for granted.
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT_ASSUME(...) static_assert(true)
#include <toml++/toml.h>

#include "cli/limits.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

Error invalid_at(const std::string& path, uint32_t line, std::string_view why) {
    return fail(ErrorCode::config_invalid, fmt::format("{}:{}: {}", path, line, why));
}

/// Before the parser sees it: what a line nests, its destructors unwind by recursion.
Result<void> ensure_sizes(std::string_view text, const std::string& path) {
    if (text.size() > config_file_bytes_max) {
        return fail(ErrorCode::limit_exceeded,
                    fmt::format("{}: have {} bytes, at most {} are read", path, text.size(),
                                config_file_bytes_max));
    }
    uint32_t number = 0;
    while (!text.empty()) {
        ++number;
        const size_t end = std::min(text.find('\n'), text.size());
        if (end > config_line_bytes_max) {
            return fail(ErrorCode::limit_exceeded,
                        fmt::format("{}:{}: have a line of {} bytes, at most {} are read", path,
                                    number, end, config_line_bytes_max));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return {};
}

class Reader {
  public:
    explicit Reader(ConfigFile& out) : out_(out) {}

    Result<void> read(const toml::table& table, const std::vector<std::string>& path) {
        for (const auto& [key, node] : table) {
            const std::string name(key.str());
            const auto line = static_cast<uint32_t>(node.source().begin.line);
            if (const toml::table* inner = node.as_table()) {
                std::vector<std::string> inner_path = path;
                inner_path.push_back(name);
                out_.tables.push_back({inner_path, line});
                TT_CHECK(read(*inner, inner_path));
                continue;
            }
            ConfigEntry entry = {.table = path, .key = name, .line = line};
            TT_CHECK(read_values(node, entry));
            out_.entries.push_back(std::move(entry));
        }
        return {};
    }

  private:
    Result<void> read_values(const toml::node& node, ConfigEntry& entry) {
        const toml::array* list = node.as_array();
        if (list == nullptr) return read_scalar(node, entry);
        entry.is_list = true;
        if (list->size() > config_list_length_max) {
            return fail(ErrorCode::limit_exceeded,
                        fmt::format("{}:{}: have a list of {}, at most {} are read", out_.path,
                                    entry.line, list->size(), config_list_length_max));
        }
        for (const toml::node& element : *list) TT_CHECK(read_scalar(element, entry));
        return {};
    }

    Result<void> read_scalar(const toml::node& node, ConfigEntry& entry) {
        using Kind = ConfigScalar::Kind;
        if (const auto* text = node.as_string()) {
            // Nothing that is set here may hold one, and system calls would stop at it.
            if (text->get().find('\0') != std::string::npos)
                return invalid_at(out_.path, entry.line, "a string holds the character U+0000");
            entry.values.push_back({Kind::text, text->get()});
        } else if (const auto* integer = node.as_integer()) {
            entry.values.push_back({Kind::integer, std::to_string(integer->get())});
        } else if (const auto* real = node.as_floating_point()) {
            entry.values.push_back({Kind::real, fmt::format("{}", real->get())});
        } else if (const auto* boolean = node.as_boolean()) {
            entry.values.push_back({Kind::boolean, boolean->get() ? "true" : "false"});
        } else {
            return invalid_at(out_.path, entry.line,
                              quote_foreign(entry.key) +
                                  ": need a string, a number, a boolean or a list of these");
        }
        return {};
    }

    ConfigFile& out_;
};

}  // namespace

Result<ConfigFile> parse_config_file(std::string_view text, const std::string& path) {
    TT_CHECK(ensure_sizes(text, path));
    const toml::parse_result parsed = toml::parse(text, path);
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        std::string why(error.description());
        // It may quote the file.
        std::ranges::replace_if(
            why, [](char c) { return c < ' ' || c > '~'; }, '?');
        return invalid_at(path, static_cast<uint32_t>(error.source().begin.line),
                          "no TOML: " + why);
    }
    ConfigFile out = {.path = path};
    TT_CHECK(Reader(out).read(parsed.table(), {}));
    return out;
}

Result<ConfigFile> read_config_file(const std::string& path) {
    TT_TRY(const Bytes text, net::read_file(path, config_file_bytes_max));
    return parse_config_file(as_text(text), path);
}

std::string quote_toml(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
        } else {
            out += c;
        }
    }
    return out + '"';
}

}  // namespace teetee::cli
