// SPDX-License-Identifier: Apache-2.0
#include "hub/reference.hpp"

#include <algorithm>

#include "hub/limits.hpp"
#include "net/address.hpp"

namespace teetee::hub {
namespace {

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_name_char(char c) {
    return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
}

/// Of an owner, a model or a tag.
bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= name_bytes_max && is_alphanumeric(text.front()) &&
           std::ranges::all_of(text, is_name_char) && text.find("..") == text.npos;
}

/// A branch may have slashes in it, as refs/pr/1 has.
bool is_revision(std::string_view text) {
    const auto allowed = [](char c) { return is_name_char(c) || c == '/'; };
    return is_safe_path(text) && text.size() <= path_part_bytes_max &&
           std::ranges::all_of(text, allowed) && text.find("..") == text.npos;
}

Error not_understood(std::string_view text, std::string_view need) {
    return fail(ErrorCode::invalid_argument,
                "have " + quote_foreign(text) + ", need " + std::string(need));
}

Result<Reference> parse_hf(std::string_view text) {
    constexpr std::string_view need =
        "hf:OWNER/NAME, hf:OWNER/NAME/FILE or hf:OWNER/NAME:QUANTISATION, with @REVISION behind "
        "it or without";
    const std::string_view whole = text;
    HfReference out;
    if (const size_t at = text.rfind('@'); at != text.npos) {
        out.revision = text.substr(at + 1);
        text = text.substr(0, at);
        if (!is_revision(out.revision)) return not_understood(whole, need);
    }
    const size_t owner_end = text.find('/');
    if (owner_end == text.npos) return not_understood(whole, need);
    const size_t name_end = std::min(text.find_first_of("/:", owner_end + 1), text.size());
    const auto owner = text.substr(0, owner_end);
    const auto name = text.substr(owner_end + 1, name_end - owner_end - 1);
    if (!is_name(owner) || !is_name(name)) return not_understood(whole, need);
    out.repository = std::string(owner) + "/" + std::string(name);
    if (name_end == text.size()) return Reference(std::move(out));
    const auto rest = text.substr(name_end + 1);
    if (text[name_end] == ':') {
        if (!is_name(rest)) return not_understood(whole, need);
        out.quantisation = rest;
    } else {
        if (!is_safe_path(rest)) return not_understood(whole, need);
        out.file = rest;
    }
    return Reference(std::move(out));
}

Result<Reference> parse_ollama(std::string_view text) {
    constexpr std::string_view need = "ollama:NAME, ollama:NAME:TAG or ollama:NAMESPACE/NAME:TAG";
    const std::string_view whole = text;
    OllamaReference out;
    if (const size_t colon = text.find(':'); colon != text.npos) {
        out.tag = text.substr(colon + 1);
        text = text.substr(0, colon);
        if (!is_name(out.tag)) return not_understood(whole, need);
    }
    std::string_view name_space = "library";
    if (const size_t slash = text.find('/'); slash != text.npos) {
        name_space = text.substr(0, slash);
        text = text.substr(slash + 1);
    }
    if (!is_name(name_space) || !is_name(text)) return not_understood(whole, need);
    out.repository = std::string(name_space) + "/" + std::string(text);
    return Reference(std::move(out));
}

Result<Reference> parse_plain(std::string_view text) {
    const auto url = net::parse_url(text);
    if (!url) return fail(ErrorCode::invalid_argument, url.error().detail);
    const std::string_view path = std::string_view(url->target).substr(0, url->target.find('?'));
    if (url->address.host == "huggingface.co" && path.find("/resolve/") == path.npos) {
        return not_understood(text,
                              "hf:OWNER/NAME or hf:OWNER/NAME/FILE: this URL is that of a page");
    }
    UrlReference out = {.url = std::string(text.substr(0, text.find('#'))),
                        .host = url->address.host,
                        .file_name = {}};
    const auto name = path.substr(path.rfind('/') + 1);
    if (is_safe_path(name) && name.size() <= path_part_bytes_max &&
        std::ranges::all_of(name, is_name_char)) {
        out.file_name = name;
    }
    return Reference(std::move(out));
}

}  // namespace

Result<Reference> parse_reference(std::string_view text) {
    if (text.size() > reference_bytes_max) return not_understood(text, "a shorter reference");
    if (text.starts_with("hf:")) return parse_hf(text.substr(3));
    if (text.starts_with("ollama:")) return parse_ollama(text.substr(7));
    if (text.starts_with("http://") || text.starts_with("https://")) return parse_plain(text);
    return not_understood(text, "hf:OWNER/NAME, ollama:NAME:TAG or a URL");
}

bool is_safe_path(std::string_view path) {
    const auto allowed = [](char c) { return c >= 0x20 && c < 0x7f && c != '\\'; };
    if (path.size() > path_bytes_max || !std::ranges::all_of(path, allowed)) return false;
    while (true) {
        const size_t slash = path.find('/');
        const auto part = path.substr(0, slash);
        if (part.empty() || part == "." || part == ".." || part.size() > path_part_bytes_max) {
            return false;
        }
        if (slash == path.npos) return true;
        path.remove_prefix(slash + 1);
    }
}

std::string encode_url_path(std::string_view path) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : path) {
        if (is_name_char(c) || c == '~' || c == '/') {
            out.push_back(c);
            continue;
        }
        const auto byte = static_cast<uint8_t>(c);
        out.push_back('%');
        out.push_back(digits[byte >> 4]);
        out.push_back(digits[byte & 15]);
    }
    return out;
}

}  // namespace teetee::hub
