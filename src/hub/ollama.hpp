// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hub/file_digest.hpp"
#include "hub/reference.hpp"

// Ollama's registry: a registry as of the OCI distribution specification whose layers are a GGUF
// file and texts; pure.
namespace teetee::hub {

constexpr std::string_view ollama_url = "https://registry.ollama.ai";
/// What a manifest is asked for as.
constexpr std::string_view ollama_manifest_types =
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.oci.image.manifest.v1+json";

struct OllamaLayer {
    FileDigest digest{};
    uint64_t bytes = 0;
    bool operator==(const OllamaLayer&) const = default;
};

/// A text that belongs to a model.
struct OllamaText {
    /// "license", "template", "system" or "params": the end of its media type.
    std::string kind{};
    OllamaLayer layer{};
    bool operator==(const OllamaText&) const = default;
};

struct OllamaManifest {
    OllamaLayer model{};
    std::vector<OllamaText> texts{};
    /// It has a part for images, which nothing here computes.
    bool has_projector = false;
};

/// The body of /v2/NAMESPACE/NAME/manifests/TAG. Errors: hub_malformed, limit_exceeded;
/// unsupported: no single GGUF file (an adapter, tensors one by one, images for several platforms).
Result<OllamaManifest> parse_ollama_manifest(std::string_view json);

std::string ollama_manifest_url(std::string_view endpoint, const OllamaReference& reference);
std::string ollama_blob_url(std::string_view endpoint, const OllamaReference& reference,
                            const FileDigest& digest);

/// Why the registry does not give what was asked. Errors: access_denied, not_found, hub_refused.
Error explain_ollama_refusal(int status, const OllamaReference& reference);

}  // namespace teetee::hub
