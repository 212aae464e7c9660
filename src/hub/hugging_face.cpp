// SPDX-License-Identifier: Apache-2.0
#include "hub/hugging_face.hpp"

#include <algorithm>

#include "hub/headers.hpp"
#include "hub/json_answer.hpp"
#include "hub/limits.hpp"

namespace teetee::hub {
namespace {

namespace json = boost::json;

constexpr std::string_view model_where = "the hub's description of the model";
constexpr std::string_view files_where = "the hub's list of files";

Error malformed(std::string_view where, std::string_view detail) {
    return fail(ErrorCode::hub_malformed, std::string(where) + ": " + std::string(detail));
}

/// The card's word; where it is "other", the name that goes with it; else the tag.
std::string licence_of(const json::object& model) {
    constexpr std::string_view tag_prefix = "license:";
    std::string licence;
    if (const auto* card = model.if_contains("cardData"); card != nullptr && card->is_object()) {
        const auto& object = card->get_object();
        licence = text_at(object, "license");
        const auto name = text_at(object, "license_name");
        const auto link = text_at(object, "license_link");
        if ((licence.empty() || licence == "other") && !name.empty()) licence = name;
        if (!licence.empty() && !link.empty()) licence.append(" (").append(link).append(")");
    }
    const auto* tags = model.if_contains("tags");
    if (licence.empty() && tags != nullptr && tags->is_array()) {
        for (const auto& tag : tags->get_array()) {
            const auto* text = tag.if_string();
            if (text != nullptr && text->starts_with(tag_prefix)) {
                licence = std::string_view(*text).substr(tag_prefix.size());
            }
        }
    }
    return shown(licence);
}

/// Leads out of the folder, or means to: no name that a repository could have.
bool is_hostile(std::string_view path) {
    const auto control = [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; };
    if (path.empty() || path.size() > path_bytes_max || path.front() == '/' ||
        std::ranges::any_of(path, control)) {
        return true;
    }
    const std::string framed = "/" + std::string(path) + "/";
    return framed.find("//") != framed.npos || framed.find("/../") != framed.npos ||
           framed.find("/./") != framed.npos;
}

Result<HfFile> parse_file(const json::object& entry) {
    HfFile out{.path = std::string(text_at(entry, "path"))};
    const auto wrong = [&](std::string_view what) {
        return malformed(files_where, quote_foreign(out.path) + ": " + std::string(what));
    };
    if (is_hostile(out.path)) return wrong("not a file's path in a repository");
    const auto* lfs = entry.if_contains("lfs");
    const bool is_lfs = lfs != nullptr && lfs->is_object();
    const auto& source = is_lfs ? lfs->get_object() : entry;
    const auto bytes = byte_count_at(source, "size");
    if (!bytes) return wrong("size: need a number of bytes");
    out.bytes = *bytes;
    auto digest =
        is_lfs ? parse_sha256(text_at(source, "oid")) : parse_git_blob(text_at(source, "oid"));
    if (!digest) return wrong("oid: " + digest.error().detail);
    out.digest = std::move(*digest);
    return out;
}

/// What a token that is missing, wrong or too weak comes to.
std::string token_advice(const HfRefusal& refusal) {
    return refusal.token_was_sent
               ? "the hub does not take the token that was sent; make one that may read at " +
                     std::string(refusal.endpoint) + "/settings/tokens"
               : "set HF_TOKEN to a token of your account (" + std::string(refusal.endpoint) +
                     "/settings/tokens), or name a file with it: --token-file";
}

}  // namespace

Result<HfModel> parse_hf_model(std::string_view text) {
    TT_TRY(const auto value, parse_answer(text, model_where));
    if (!value.is_object()) return malformed(model_where, "need an object");
    const auto& model = value.get_object();
    HfModel out;
    const auto commit = parse_git_blob(text_at(model, "sha"));
    if (!commit) return malformed(model_where, "sha: " + commit.error().detail);
    out.commit = commit->hex;
    out.licence = licence_of(model);
    // false, "auto" or "manual".
    const auto* gated = model.if_contains("gated");
    out.gated = gated != nullptr && (gated->is_string() || (gated->is_bool() && gated->get_bool()));
    return out;
}

Result<std::vector<HfFile>> parse_hf_files(std::string_view text) {
    TT_TRY(const auto value, parse_answer(text, files_where));
    if (!value.is_array()) return malformed(files_where, "need a list");
    std::vector<HfFile> out;
    for (const auto& entry : value.get_array()) {
        if (!entry.is_object()) return malformed(files_where, "one is no object");
        if (text_at(entry.get_object(), "type") != "file") continue;
        if (out.size() == files_max) return malformed(files_where, "too many files");
        TT_TRY(auto file, parse_file(entry.get_object()));
        if (is_safe_path(file.path)) out.push_back(std::move(file));
    }
    return out;
}

std::string hf_model_url(std::string_view endpoint, const HfReference& reference) {
    // A branch with a slash in it is one part of the path.
    std::string revision;
    for (const char c : reference.revision) {
        if (c == '/') {
            revision += "%2F";
        } else {
            revision.push_back(c);
        }
    }
    return std::string(endpoint) + "/api/models/" + reference.repository + "/revision/" + revision;
}

std::string hf_files_url(const HfState& state) {
    return std::string(state.endpoint) + "/api/models/" + std::string(state.repository) + "/tree/" +
           std::string(state.commit) + "?recursive=true";
}

std::string hf_file_url(const HfState& state, std::string_view path) {
    return std::string(state.endpoint) + "/" + std::string(state.repository) + "/resolve/" +
           std::string(state.commit) + "/" + encode_url_path(path);
}

Error explain_hf_refusal(const HfRefusal& refusal) {
    const std::string& name = refusal.reference.repository;
    const std::string page = std::string(refusal.endpoint) + "/" + name;
    const auto code = field(refusal.headers, "x-error-code");
    const int status = refusal.status;
    if (code == "GatedRepo" && status == 401) {
        return fail(ErrorCode::access_denied, name + " is gated: accept its conditions at " + page +
                                                  ", then " + token_advice(refusal));
    }
    if (code == "GatedRepo") {
        return fail(ErrorCode::access_denied,
                    name +
                        " is gated, and the token's account may not read it yet: ask for "
                        "access at " +
                        page +
                        " (a fine-grained token also needs the right to read gated "
                        "repositories)");
    }
    if (status == 401 && refusal.token_was_sent && code != "RepoNotFound") {
        return fail(ErrorCode::access_denied, token_advice(refusal));
    }
    if (status == 401) {
        return fail(ErrorCode::access_denied,
                    name + ": no such repository, or a private one: look at its name at " + page +
                        "; if it is private, " + token_advice(refusal));
    }
    if (status == 403) {
        return fail(ErrorCode::access_denied, name + ": the hub forbids it: " +
                                                  shown(field(refusal.headers, "x-error-message")));
    }
    if (code == "RevisionNotFound") {
        return fail(ErrorCode::not_found, name + " has no revision " +
                                              quote_foreign(refusal.reference.revision) + "; see " +
                                              page + "/commits");
    }
    if (code == "EntryNotFound") {
        return fail(ErrorCode::not_found, name + " has no such file; see " + page + "/tree/" +
                                              refusal.reference.revision);
    }
    if (status == 404) {
        return fail(ErrorCode::not_found,
                    name +
                        ": no such repository (or one that the token may not see); look at "
                        "its name at " +
                        page);
    }
    const auto message = field(refusal.headers, "x-error-message");
    return fail(ErrorCode::hub_refused, name + ": have HTTP status " + std::to_string(status) +
                                            (message.empty() ? "" : ": " + shown(message)));
}

}  // namespace teetee::hub
