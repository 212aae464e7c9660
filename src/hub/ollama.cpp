// SPDX-License-Identifier: Apache-2.0
#include "hub/ollama.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "hub/json_answer.hpp"
#include "hub/limits.hpp"

namespace teetee::hub {
namespace {

constexpr std::string_view layer_prefix = "application/vnd.ollama.image.";
constexpr std::array<std::string_view, 4> text_kinds = {"license", "template", "system", "params"};

Error malformed(std::string_view detail) {
    return fail(ErrorCode::hub_malformed, "the registry's manifest: " + std::string(detail));
}

Result<OllamaLayer> parse_layer(const boost::json::object& layer) {
    const auto digest_text = text_at(layer, "digest");
    auto digest = parse_sha256(digest_text);
    if (!digest || !digest_text.starts_with("sha256:"))
        return malformed("a layer's digest: have " + quote_foreign(digest_text) +
                         ", need sha256: and 64 hex digits");
    const auto bytes = byte_count_at(layer, "size");
    if (!bytes) return malformed("a layer's size: need a number of bytes");
    return OllamaLayer{std::move(*digest), *bytes};
}

}  // namespace

Result<OllamaManifest> parse_ollama_manifest(std::string_view json) {
    TT_TRY(const auto value, parse_answer(json, "the registry's manifest"));
    if (!value.is_object()) return malformed("need an object");
    const auto& manifest = value.get_object();
    if (manifest.contains("manifests"))
        return fail(ErrorCode::unsupported, "the image is one for several platforms, not a model");
    const auto* layers = manifest.if_contains("layers");
    if (layers == nullptr || !layers->is_array()) return malformed("need a list of layers");
    if (layers->get_array().size() > layers_max) return malformed("too many layers");
    OllamaManifest out;
    std::optional<OllamaLayer> model;
    for (const auto& entry : layers->get_array()) {
        if (!entry.is_object()) return malformed("a layer is no object");
        std::string_view kind = text_at(entry.get_object(), "mediaType");
        if (!kind.starts_with(layer_prefix)) continue;
        kind.remove_prefix(layer_prefix.size());
        TT_TRY(auto layer, parse_layer(entry.get_object()));
        if (kind == "model") {
            if (model) return fail(ErrorCode::unsupported, "the model is in several files");
            model = std::move(layer);
        } else if (kind == "adapter" || kind == "tensor") {
            return fail(ErrorCode::unsupported, "the image has a layer of " + std::string(kind) +
                                                    "s; need a model in one GGUF file");
        } else if (kind == "projector") {
            out.has_projector = true;
        } else if (std::ranges::find(text_kinds, kind) != text_kinds.end()) {
            out.texts.push_back({std::string(kind), std::move(layer)});
        }
    }
    if (!model) return fail(ErrorCode::unsupported, "the image has no model in it");
    out.model = std::move(*model);
    return out;
}

std::string ollama_manifest_url(std::string_view endpoint, const OllamaReference& reference) {
    return std::string(endpoint) + "/v2/" + reference.repository + "/manifests/" + reference.tag;
}

std::string ollama_blob_url(std::string_view endpoint, const OllamaReference& reference,
                            const FileDigest& digest) {
    return std::string(endpoint) + "/v2/" + reference.repository + "/blobs/sha256:" + digest.hex;
}

Error explain_ollama_refusal(int status, const OllamaReference& reference) {
    const std::string name = reference.repository + ":" + reference.tag;
    if (status == 401 || status == 403)
        return fail(ErrorCode::access_denied,
                    name + ": the registry wants a sign-in: look at the name (" +
                        "ollama.com/library has those of all); private models are not supported");
    if (status == 404)
        return fail(ErrorCode::not_found,
                    name + ": the registry has no such model or tag; see ollama.com/" +
                        reference.repository + "/tags");
    return fail(ErrorCode::hub_refused, name + ": have HTTP status " + std::to_string(status));
}

}  // namespace teetee::hub
