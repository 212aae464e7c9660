// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/pull_checkpoint.hpp"
#include "cli/pull_session.hpp"
#include "hub/gguf_choice.hpp"
#include "hub/headers.hpp"
#include "model/kv_budget.hpp"

namespace teetee::cli {
namespace {

/// Asks a repository what is in it.
class Repository {
  public:
    Repository(const PullSession& pulling, const PullEndpoint& endpoint,
               const hub::HfReference& reference)
        : pulling_(pulling), endpoint_(endpoint), reference_(reference) {
        explain_ = [endpoint, reference](int status, const net::HttpHeaders& headers) {
            return hub::explain_hf_refusal({.status = status,
                                            .headers = headers,
                                            .endpoint = endpoint.url,
                                            .reference = reference,
                                            .token_was_sent = !endpoint.token.empty()});
        };
    }

    Result<HfRepository> read() const {
        HfRepository out{.endpoint = endpoint_.url, .reference = reference_, .explain = explain_};
        TT_TRY(const auto answer, ask(hub::hf_model_url(endpoint_.url, reference_)));
        TT_TRY(out.model, hub::parse_hf_model(answer.body));
        const std::string first =
            hub::hf_files_url({endpoint_.url, reference_.repository, out.model.commit});
        std::string url = first;
        for (size_t page = 0; !url.empty(); ++page) {
            if (page == hub::file_pages_max || out.files.size() > hub::files_max)
                return fail(ErrorCode::limit_exceeded, reference_.repository + ": too many files");
            TT_TRY(const auto answered, ask(url));
            TT_TRY(auto files, hub::parse_hf_files(answered.body));
            out.files.insert(out.files.end(), files.begin(), files.end());
            TT_TRY(url, next_page(answered, first));
        }
        return out;
    }

  private:
    Result<hub::WebAnswer> ask(const std::string& url) const {
        return pulling_.ask(url, "application/json", explain_);
    }

    /// "" behind the last one. Only where to go on is the link's: it goes on at the same server,
    /// wherever a mirror's link may lead.
    static Result<std::string> next_page(const hub::WebAnswer& answer, const std::string& first) {
        const std::string link = hub::parse_next_link(hub::field(answer.headers, "link"));
        if (link.empty()) return std::string();
        const size_t query = link.find('?');
        if (query != link.npos) return first.substr(0, first.find('?')) + link.substr(query);
        return fail(ErrorCode::hub_malformed, "the hub's list of files goes on at " +
                                                  quote_foreign(link) +
                                                  ", need a URL with a query");
    }

    const PullSession& pulling_;
    const PullEndpoint& endpoint_;
    const hub::HfReference& reference_;
    hub::ExplainStatus explain_;
};

/// What there is to choose from goes with an error that asks to choose.
Error with_list(Error error, const HfRepository& repository) {
    const auto models = hub::list_gguf_models(repository.files);
    for (const hub::GgufModel& model : models) {
        const std::string parts =
            model.parts == 1 ? "" : fmt::format("  ({} parts, not supported)", model.parts);
        error.detail += fmt::format("\n{:>12}  {}{}", model::show_byte_count(model.bytes),
                                    model.file.path, parts);
    }
    return error;
}

Result<PullReport> pull_gguf(const PullOptions& options, const PullSession& pulling,
                             const HfRepository& repository) {
    auto chosen = hub::choose_gguf(repository.files, repository.reference);
    if (!chosen) return with_list(std::move(chosen).error(), repository);
    const auto models = hub::list_gguf_models(repository.files);
    const bool is_named =
        !repository.reference.file.empty() || !repository.reference.quantisation.empty();
    if (!is_named && models.size() > 1)
        PullSession::say(fmt::format("{} of {} models, since it is {}; another one: --file",
                                     chosen->path, models.size(), hub::preferred_quantisation));
    PullFile file = repository.file(*chosen);
    file.path = choose_path(options, repository.usual_folder() + "/" + chosen->path);
    file.is_gguf = true;
    if (options.dry_run)
        return report_plan({{file.url, file.path, file.bytes, file.digest}},
                           repository.model.licence);
    TT_TRY(auto downloaded, pulling.fetch(file));
    return report_model({.path = file.path,
                         .source = repository.page(),
                         .licence = repository.model.licence,
                         .commit = repository.model.commit,
                         .downloaded = std::move(downloaded)});
}

}  // namespace

PullFile HfRepository::file(const hub::HfFile& listed) const {
    return {.url = hub::hf_file_url({endpoint, reference.repository, model.commit}, listed.path),
            .digest = listed.digest,
            .bytes = listed.bytes,
            .commit = model.commit,
            .explain = explain};
}

Result<PullReport> pull_hugging_face(const PullOptions& options,
                                     const hub::HfReference& reference) {
    TT_TRY(const auto endpoint, choose_endpoint(options, {.url = hub::hugging_face_url,
                                                          .mirror_variable = "HF_ENDPOINT",
                                                          .token_variable = "HF_TOKEN"}));
    const PullSession pulling(options, endpoint);
    TT_TRY(const auto repository, Repository(pulling, endpoint, reference).read());
    PullSession::say(
        fmt::format("{}: licence {}{}", reference.repository,
                    repository.model.licence.empty() ? "not said" : repository.model.licence,
                    repository.model.gated ? ", gated: " + repository.page() : ""));
    const bool wants_gguf = !reference.file.empty() || !reference.quantisation.empty();
    if (wants_gguf && options.safetensors)
        return fail(ErrorCode::invalid_argument,
                    "--safetensors: a checkpoint is of several files, none can be named");
    const bool has_gguf = !hub::list_gguf_models(repository.files).empty();
    if (wants_gguf || (has_gguf && !options.safetensors))
        return pull_gguf(options, pulling, repository);
    return pull_checkpoint(options, pulling, repository);
}

}  // namespace teetee::cli
