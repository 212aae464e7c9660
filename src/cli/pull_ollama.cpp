// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cli/pull_session.hpp"
#include "hub/ollama.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

/// "llama3.license.txt", and of a second one "llama3.license-2.txt".
std::string text_path(const std::string& model_path, const std::vector<PullFile>& before,
                      const std::string& kind) {
    const std::string ending = kind == "params" ? ".json" : ".txt";
    std::string path = beside(model_path, "." + kind + ending);
    for (int number = 2; std::ranges::find(before, path, &PullFile::path) != before.end(); ++number)
        path = beside(model_path, "." + kind + "-" + std::to_string(number) + ending);
    return path;
}

/// The first line of a licence's text that says anything.
Result<std::string> first_line(const std::string& path) {
    TT_TRY(const auto bytes, net::read_file(path, hub::text_layer_bytes_max));
    std::string_view text = as_text(bytes);
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        if (const size_t first = line.find_first_not_of(" \t\r"); first != line.npos) {
            const auto quoted = quote_foreign(line.substr(first));
            return quoted.substr(1, quoted.rfind('\'') - 1);
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return std::string();
}

struct Plan {
    PullFile model{};
    std::vector<PullFile> texts{};
    std::string licence_path{};
};

Result<Plan> plan_files(const hub::OllamaManifest& manifest, const std::string& endpoint,
                        const hub::OllamaReference& reference, const std::string& path) {
    const auto file_of = [&](const hub::OllamaLayer& layer, const std::string& place) {
        PullFile out = {.url = hub::ollama_blob_url(endpoint, reference, layer.digest),
                        .path = place,
                        .digest = layer.digest,
                        .bytes = layer.bytes};
        out.explain = [reference](int status, const net::HttpHeaders&) {
            return hub::explain_ollama_refusal(status, reference);
        };
        return out;
    };
    Plan plan;
    plan.model = file_of(manifest.model, path);
    plan.model.is_gguf = true;
    for (const hub::OllamaText& text : manifest.texts) {
        if (text.layer.bytes > hub::text_layer_bytes_max)
            return fail(ErrorCode::limit_exceeded,
                        "the image's " + text.kind + ": have " + std::to_string(text.layer.bytes) +
                            " bytes, need at most " + std::to_string(hub::text_layer_bytes_max));
        plan.texts.push_back(file_of(text.layer, text_path(path, plan.texts, text.kind)));
        if (text.kind == "license" && plan.licence_path.empty())
            plan.licence_path = plan.texts.back().path;
    }
    return plan;
}

}  // namespace

Result<PullReport> pull_ollama(const PullOptions& options, const hub::OllamaReference& reference) {
    TT_TRY(const auto endpoint,
           choose_endpoint(options, {.url = hub::ollama_url,
                                     .mirror_variable = "TEETEE_OLLAMA_REGISTRY",
                                     .token_variable = ""}));
    PullSession pulling(options, endpoint);
    TT_TRY(const auto answer, pulling.ask(hub::ollama_manifest_url(endpoint.url, reference),
                                          std::string(hub::ollama_manifest_types),
                                          [&](int status, const net::HttpHeaders&) {
                                              return hub::explain_ollama_refusal(status, reference);
                                          }));
    TT_TRY(const auto manifest, hub::parse_ollama_manifest(answer.body));
    const std::string path =
        choose_path(options, "ollama/" + reference.repository + "/" + reference.tag + ".gguf");
    TT_TRY(const auto plan, plan_files(manifest, endpoint.url, reference, path));
    if (options.dry_run) {
        std::vector<PlannedFile> files = {
            {plan.model.url, plan.model.path, plan.model.bytes, plan.model.digest}};
        for (const PullFile& text : plan.texts)
            files.push_back({text.url, text.path, text.bytes, text.digest});
        return report_plan(files, "");
    }
    // First what is small: whoever does not like the licence has not waited for the model.
    boost::json::array texts;
    for (const PullFile& text : plan.texts) {
        TT_CHECK(pulling.fetch(text));
        texts.push_back(boost::json::string(text.path));
    }
    std::string licence;
    if (!plan.licence_path.empty()) {
        TT_TRY(licence, first_line(plan.licence_path));
        PullSession::say("licence: " + licence + " (" + plan.licence_path + ")");
    }
    if (manifest.has_projector)
        PullSession::say("the image's part for pictures is left out: TeeTee computes text alone");
    TT_TRY(auto downloaded, pulling.fetch(plan.model));
    PullReport report =
        report_model({.path = path,
                      .source = endpoint.url + "/" + reference.repository + ":" + reference.tag,
                      .licence = licence,
                      .downloaded = std::move(downloaded)});
    report.json["texts"] = std::move(texts);
    return report;
}

}  // namespace teetee::cli
