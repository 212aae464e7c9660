// SPDX-License-Identifier: Apache-2.0
#include "api/page_files.hpp"

#include <algorithm>

#include "api/limits.hpp"
#include "base/ascii.hpp"
#include "crypto/hash.hpp"
#include "net/file_tree.hpp"

namespace teetee::api {
namespace {

constexpr std::string_view index_name = "index.html";
constexpr std::string_view index_path = "/index.html";
constexpr std::string_view gzip_suffix = ".gz";

// The page asks entries of any host, and the RPC endpoint that its user has chosen: so any https
// origin may be connected to, and this machine's without TLS. What runs, and where it comes from,
// is this origin's alone; no text becomes markup but by a trusted type, of which there are none.
constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self' https: http://127.0.0.1:* http://localhost:*; "
    "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'";
constexpr std::string_view permissions_policy =
    "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
    "magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

struct Type {
    std::string_view suffix;
    std::string_view content_type;
};
constexpr std::array<Type, 20> types = {{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".txt", "text/plain; charset=utf-8"},
    {".md", "text/plain; charset=utf-8"},
    {".xml", "application/xml"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".webp", "image/webp"},
    {".avif", "image/avif"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".woff", "font/woff"},
    {".glb", "model/gltf-binary"},
}};

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

/// Of a file or folder.
bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= page_name_bytes_max && name.front() != '.' &&
           std::ranges::all_of(name, is_name_char);
}

/// Names with slashes between them.
bool is_path_of_names(std::string_view path) {
    while (true) {
        const size_t slash = path.find('/');
        if (!is_name(path.substr(0, slash))) return false;
        if (slash == std::string_view::npos) return true;
        path.remove_prefix(slash + 1);
    }
}

std::optional<std::string_view> content_type_of(std::string_view path) {
    for (const Type& type : types) {
        if (path.ends_with(type.suffix)) return type.content_type;
    }
    return std::nullopt;
}

/// As Vite names what it bundles: assets/NAME-HASH.js, the hash being eight characters of
/// base64url.
bool has_hash_in_name(std::string_view path) {
    constexpr size_t hash_chars = 8;
    if (!path.starts_with("/assets/")) return false;
    const std::string_view name = path.substr(path.rfind('/') + 1);
    const std::string_view stem = name.substr(0, name.find('.'));
    return stem.size() > hash_chars + 1 && stem[stem.size() - hash_chars - 1] == '-';
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Calls with each member of a list in a header, until one is taken.
template <class Take>
bool any_of_list(std::string_view list, Take take) {
    while (!list.empty()) {
        const size_t comma = list.find(',');
        if (take(trimmed(list.substr(0, comma)))) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
    return false;
}

std::string_view header(const net::HttpHeaders& headers, std::string_view name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

/// A weight of nothing (RFC 9110 section 12.4.2) means no.
bool has_weight(std::string_view parameters) {
    const std::string text = to_lower(parameters);
    const size_t at = text.find("q=0");
    return at == std::string::npos || text.find_first_of("123456789", at + 3) != std::string::npos;
}

bool takes_gzip(const net::HttpHeaders& headers) {
    return any_of_list(header(headers, "accept-encoding"), [](std::string_view coding) {
        const size_t end = std::min(coding.find(';'), coding.size());
        return to_lower(trimmed(coding.substr(0, end))) == "gzip" && has_weight(coding.substr(end));
    });
}

/// Tags are compared weakly (RFC 9110 section 13.1.2).
bool has_already(const net::HttpHeaders& headers, std::string_view tag) {
    return any_of_list(header(headers, "if-none-match"), [&](std::string_view known) {
        if (known.starts_with("W/")) known.remove_prefix(2);
        return known == "*" || known == tag;
    });
}

std::string tag_of(std::string_view content) {
    constexpr size_t tag_bytes = 16;
    return '"' + to_hex(ByteView(crypto::sha256(as_bytes(content))).first(tag_bytes)) + '"';
}

Error unusable(std::string_view path, const std::string& why) {
    return fail(ErrorCode::config_invalid, "page: " + quote_foreign(path) + ": " + why);
}

}  // namespace

Result<PageFiles> PageFiles::load(const std::string& folder) {
    TT_TRY(auto files, net::read_tree(folder, {.entries_max = page_files_max,
                                               .bytes_max = page_bytes_max,
                                               .depth_max = page_depth_max}));
    auto built = build(std::move(files));
    if (!built) return in_context(folder, std::move(built).error());
    return built;
}

Result<PageFiles> PageFiles::build(std::map<std::string, Bytes> files) {
    PageFiles out;
    for (const auto& [path, content] : files) {
        if (!is_path_of_names(path))
            return unusable(path, "need a name of letters, digits, '.', '_' and '-'");
        if (path.ends_with(gzip_suffix)) continue;
        const auto content_type = content_type_of(path);
        if (!content_type) return unusable(path, "have a type of file that no page needs");
        const std::string place = "/" + path;
        File& file = out.files_[place];
        file.content_type = *content_type;
        file.content = std::make_shared<const std::string>(as_text(content));
        file.tag = tag_of(*file.content);
        file.is_immutable = has_hash_in_name(place);
    }
    for (const auto& [path, content] : files) {
        if (!path.ends_with(gzip_suffix)) continue;
        const auto plain = out.files_.find("/" + path.substr(0, path.size() - gzip_suffix.size()));
        if (plain == out.files_.end() || content.empty())
            return unusable(path, "need the file beside it that this is the compressed form of");
        plain->second.gzip = std::make_shared<const std::string>(as_text(content));
    }
    if (!out.files_.contains(index_path))
        return unusable(index_name, "have none, need one: make web builds the page");
    return out;
}

size_t PageFiles::bytes() const {
    size_t out = 0;
    for (const auto& [path, file] : files_) {
        out += file.content->size();
        if (file.gzip) out += file.gzip->size();
    }
    return out;
}

const PageFiles::File* PageFiles::find(std::string_view path) const {
    if (!path.starts_with('/')) return nullptr;
    if (const auto found = files_.find(path); found != files_.end()) return &found->second;
    const std::string_view inside = path.substr(1);
    const std::string_view view = inside.substr(0, inside.find('/'));
    const bool is_view = std::ranges::find(page_views, view) != page_views.end();
    // With or without a slash at its end.
    const std::string_view named =
        inside.ends_with('/') ? inside.substr(0, inside.size() - 1) : inside;
    if (!inside.empty() && !(is_view && is_path_of_names(named))) return nullptr;
    return &files_.find(index_path)->second;
}

bool PageFiles::has(std::string_view path) const {
    return find(path) != nullptr;
}

bool PageFiles::is_preferred(const net::HttpHeaders& headers) {
    return any_of_list(header(headers, "accept"), [](std::string_view range) {
        const size_t end = std::min(range.find(';'), range.size());
        return to_lower(trimmed(range.substr(0, end))) == "text/html" &&
               has_weight(range.substr(end));
    });
}

net::HttpResponse PageFiles::answer(const net::HttpRequest& request) const {
    net::HttpResponse out;
    const File* file = find(request.path);
    if (file == nullptr) {
        out.status = 404;
        return out;
    }
    const bool is_compressed = file->gzip != nullptr && takes_gzip(request.headers);
    // Another representation has another tag (RFC 9110 section 8.8.3).
    const std::string tag =
        is_compressed ? file->tag.substr(0, file->tag.size() - 1) + "-gz\"" : file->tag;
    out.content_type = file->content_type;
    out.headers = {
        {"etag", tag},
        {"cache-control", file->is_immutable ? "public, max-age=31536000, immutable" : "no-cache"},
        // A path of the page may be one of the API too.
        {"vary", "Accept, Accept-Encoding"},
        {"content-security-policy", std::string(content_security_policy)},
        {"permissions-policy", std::string(permissions_policy)},
        {"cross-origin-opener-policy", "same-origin"},
        {"cross-origin-resource-policy", "same-origin"},
        {"referrer-policy", "no-referrer"},
        {"x-content-type-options", "nosniff"}};
    if (has_already(request.headers, tag)) {
        out.status = 304;
        return out;
    }
    if (is_compressed) out.headers["content-encoding"] = "gzip";
    out.shared_body = is_compressed ? file->gzip : file->content;
    return out;
}

}  // namespace teetee::api
