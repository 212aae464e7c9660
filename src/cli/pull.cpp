// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "cli/checkpoint_import.hpp"
#include "cli/pull_session.hpp"
#include "cli/state_folder.hpp"

namespace teetee::cli {
namespace {

Result<PullReport> pull_any(const PullOptions& options, hub::Reference& reference) {
    if (!options.sha256.empty() && !std::holds_alternative<hub::UrlReference>(reference))
        return fail(ErrorCode::invalid_argument, "--sha256 is for URLs; a hub says its digests");
    if (auto* hf = std::get_if<hub::HfReference>(&reference)) {
        if (options.file.empty()) return pull_hugging_face(options, *hf);
        if (!hf->file.empty() || !hf->quantisation.empty())
            return fail(ErrorCode::invalid_argument, "--file: the reference names one already");
        hf->file = options.file;
        return pull_hugging_face(options, *hf);
    }
    if (!options.file.empty() || options.safetensors)
        return fail(ErrorCode::invalid_argument,
                    "--file and --safetensors are for repositories (hf:OWNER/NAME)");
    if (const auto* ollama = std::get_if<hub::OllamaReference>(&reference))
        return pull_ollama(options, *ollama);
    return pull_url(options, std::get<hub::UrlReference>(reference));
}

Result<void> pull(const PullOptions& options, Session& session) {
    TT_TRY(auto reference, hub::parse_reference(options.reference));
    TT_TRY(const auto report, pull_any(options, reference));
    if (session.json) {
        print_json(report.json);
    } else {
        print_text(report.text);
    }
    return {};
}

/// Of a file that is there already an earlier pull has noted what it is; if the server still has
/// the same, it need not be fetched again.
Result<hub::Downloaded> fetch_noted(const PullSession& pulling, PullFile file,
                                    const std::string& source) {
    if (file.digest) return pulling.fetch(file);
    if (std::error_code failed; std::filesystem::exists(file.path, failed)) {
        auto remote = hub::probe(pulling.web(), file.url, file.explain);
        if (!remote) return in_context(source, std::move(remote).error());
        if (!remote->validator.empty())
            file.digest = find_digest(file.path, {source, remote->validator});
    }
    TT_TRY(auto downloaded, pulling.fetch(file));
    if (!downloaded.validator.empty())
        TT_CHECK(note_digest(file.path, {source, downloaded.validator}, downloaded.digest));
    return downloaded;
}

}  // namespace

Result<PullReport> pull_url(const PullOptions& options, const hub::UrlReference& reference) {
    if (!options.mirror.empty())
        return fail(ErrorCode::invalid_argument, "--mirror is for hubs; a URL says where to ask");
    // What stands behind the question mark may be what opens the file.
    const std::string shown_url = reference.url.substr(0, reference.url.find('?'));
    PullFile file = {.url = reference.url, .is_gguf = true};
    if (!options.sha256.empty()) {
        auto digest = hub::parse_sha256(options.sha256);
        if (!digest) return in_context("--sha256", std::move(digest).error());
        file.digest = std::move(*digest);
    }
    const std::string path =
        choose_path(options, "url/" + reference.host + "/" + reference.file_name);
    if (path.empty() || path.ends_with('/'))
        return fail(ErrorCode::invalid_argument, "--out: the URL names no file; name one here");
    file.path = path;
    TT_TRY(
        const auto endpoint,
        choose_endpoint(options, {.url = shown_url, .mirror_variable = "", .token_variable = ""}));
    file.explain = explain_url_status;
    if (reference.url.starts_with("http:") && options.sha256.empty())
        PullSession::say(
            "over plain http anybody on the way can change the file; name its digest "
            "with --sha256");
    PullSession pulling(options, endpoint);
    if (options.dry_run) {
        auto remote = hub::probe(pulling.web(), file.url, file.explain);
        if (!remote) return in_context(shown_url, std::move(remote).error());
        return report_plan({{.url = shown_url,
                             .path = file.path,
                             .bytes = remote->bytes,
                             .digest = file.digest ? file.digest : remote->linked_digest}},
                           "");
    }
    TT_TRY(auto downloaded, fetch_noted(pulling, std::move(file), shown_url));
    return report_model({.path = path, .source = shown_url, .downloaded = std::move(downloaded)});
}

void add_pull(CLI::App& app, Session& session) {
    auto options = std::make_shared<PullOptions>();
    CLI::App* command =
        add_command(app, session, "pull",
                    "Fetch a model: from Hugging Face, Ollama's registry or a URL", options, pull);
    command
        ->add_option(
            "reference", options->reference,
            "hf:OWNER/NAME[/FILE][@REVISION], hf:OWNER/NAME:Q4_K_M, ollama:NAME[:TAG] or a "
            "URL")
        ->required();
    command->add_option("--out", options->out,
                        "GGUF file to write, or a folder for it; default: under " + models_home());
    command->add_option("--file", options->file,
                        "Which of a repository's files, where it has several models");
    command->add_option("--mirror", options->mirror,
                        "URL to ask instead of the hub; default: HF_ENDPOINT or "
                        "TEETEE_OLLAMA_REGISTRY, else the hub itself");
    command
        ->add_option(
            "--ca", options->ca_file,
            "PEM file with the roots that https servers are known by; default: the system's")
        ->check(CLI::ExistingFile);
    command->add_option("--token-file", options->token_file,
                        "File with a token for gated and private models; default: HF_TOKEN");
    command->add_option("--sha256", options->sha256, "Digest that the file of a URL must have");
    command
        ->add_option("--connections", options->connections, "How many parts are fetched at a time")
        ->capture_default_str()
        ->check(CLI::Range(size_t{1}, hub::connections_max));
    command->add_flag("--safetensors", options->safetensors,
                      "Import the repository's checkpoint, even where it has a GGUF");
    command
        ->add_option("--type", options->type,
                     "Type of an imported checkpoint's matrices; auto keeps what it has")
        ->capture_default_str()
        ->check(CLI::IsMember(import_type_names()));
    command->add_flag("--keep-checkpoint", options->keep_checkpoint,
                      "Do not remove a checkpoint after its import");
    command->add_flag("--dry-run", options->dry_run, "Show what would be fetched");
}

}  // namespace teetee::cli
