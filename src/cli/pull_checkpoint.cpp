// SPDX-License-Identifier: Apache-2.0
#include "cli/pull_checkpoint.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "cli/checkpoint_files.hpp"
#include "cli/checkpoint_import.hpp"
#include "model/checkpoint.hpp"
#include "model/kv_budget.hpp"
#include "model/limits.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view index_name = "model.safetensors.index.json";
constexpr std::string_view whole_name = "model.safetensors";
/// What an import reads beside the weights (docs/import.md).
constexpr std::array<std::string_view, 7> small_names = {"config.json",
                                                         "tokenizer.json",
                                                         "tokenizer.model",
                                                         "tokenizer_config.json",
                                                         "generation_config.json",
                                                         "chat_template.jinja",
                                                         index_name};

const hub::HfFile* find_file(const HfRepository& repository, std::string_view path) {
    const auto found = std::ranges::find(repository.files, path, &hub::HfFile::path);
    return found == repository.files.end() ? nullptr : &*found;
}

Error no_checkpoint(const HfRepository& repository) {
    return fail(ErrorCode::unsupported,
                repository.reference.repository +
                    " has neither a GGUF file nor config.json with model.safetensors; see " +
                    repository.page() + "/tree/" + repository.reference.revision);
}

class Checkpoint {
  public:
    Checkpoint(const PullOptions& options, const PullSession& pulling,
               const HfRepository& repository)
        : options_(options), pulling_(pulling), repository_(repository) {
        const std::string& name = repository.reference.repository;
        name_ = name.substr(name.find('/') + 1);
        const std::string type = options.type == "auto" ? "" : "-" + options.type;
        out_ = choose_path(options, repository.usual_folder() + "/" + name_ + type + ".gguf");
        folder_ = beside(out_, ".checkpoint");
    }

    Result<PullReport> run() {
        TT_CHECK(find_files());
        if (options_.dry_run) return plan();
        std::error_code failed;
        if (fs::exists(out_, failed)) return find_existing();
        for (const hub::HfFile& file : small_) TT_CHECK(fetch(file));
        TT_CHECK(check_small());
        TT_CHECK(find_weights());
        TT_CHECK(ensure_room());
        for (const hub::HfFile& file : weights_) TT_CHECK(fetch(file));
        TT_TRY(const auto made, import_checkpoint({.folder = folder_,
                                                   .out = out_,
                                                   .type = options_.type,
                                                   .name = name_,
                                                   .stop = pulling_.stop()}));
        TT_TRY(const auto digest, pulling_.hash(out_));
        TT_CHECK(note_digest(out_, source(), digest));
        if (!options_.keep_checkpoint) remove_checkpoint();
        return report(made);
    }

  private:
    /// What the result follows from, beside this program.
    SourceState source() const {
        return {repository_.page(), repository_.model.commit + " " + options_.type};
    }

    Result<PullReport> find_existing() const {
        const auto noted = find_digest(out_, source());
        TT_TRY(const auto digest, pulling_.hash(out_));
        if (digest != noted)
            return fail(ErrorCode::already_exists,
                        out_ + " exists and was not imported from this commit as " + options_.type +
                            "; remove it or name another with --out");
        std::error_code failed;
        return report_model(
            {.path = out_,
             .source = repository_.page(),
             .licence = repository_.model.licence,
             .commit = repository_.model.commit,
             .downloaded = {
                 .bytes = fs::file_size(out_, failed), .digest = digest, .was_there = true}});
    }

    Result<void> find_files() {
        if (find_file(repository_, "config.json") == nullptr) return no_checkpoint(repository_);
        const bool has_index = find_file(repository_, index_name) != nullptr;
        if (!has_index && find_file(repository_, whole_name) == nullptr)
            return no_checkpoint(repository_);
        for (const std::string_view name : small_names) {
            const auto* file = find_file(repository_, name);
            if (file == nullptr) continue;
            if (file->bytes > hub::git_file_bytes_max)
                return fail(ErrorCode::limit_exceeded,
                            file->path + ": have " + std::to_string(file->bytes) +
                                " bytes, need at most " + std::to_string(hub::git_file_bytes_max));
            small_.push_back(*file);
        }
        return {};
    }

    Result<PullReport> plan() {
        // Without its index the names of the weights are not known: all that look like them.
        std::vector<hub::HfFile> files = small_;
        const bool has_index = find_file(repository_, index_name) != nullptr;
        for (const hub::HfFile& file : repository_.files) {
            const bool is_weight =
                file.path.ends_with(".safetensors") && file.path.find('/') == file.path.npos;
            if (has_index ? is_weight && file.path.starts_with("model-") : file.path == whole_name)
                files.push_back(file);
        }
        std::vector<PlannedFile> planned;
        for (const hub::HfFile& file : files)
            planned.push_back(
                {repository_.file(file).url, folder_ + "/" + file.path, file.bytes, file.digest});
        auto out = report_plan(planned, repository_.model.licence);
        out.json["import"] = out_;
        out.text += "then imported into " + out_ + "\n";
        return out;
    }

    Result<void> fetch(const hub::HfFile& listed) {
        PullFile file = repository_.file(listed);
        file.path = folder_ + "/" + listed.path;
        TT_TRY(const auto came, pulling_.fetch(file));
        fetched_bytes_ += came.fetched_bytes;
        resumed_bytes_ += came.was_there ? came.bytes : came.resumed_bytes;
        return {};
    }

    Result<void> check_small() const {
        if (auto config = read_checkpoint_config(folder_); !config)
            return in_context("config.json", std::move(config).error());
        if (auto vocabulary = read_vocabulary(folder_); !vocabulary)
            return in_context("tokenizer", std::move(vocabulary).error());
        return {};
    }

    Result<void> find_weights() {
        TT_TRY(const auto text, read_optional(folder_ + "/" + std::string(index_name),
                                              model::weight_index_bytes_max));
        std::set<std::string> names = {std::string(whole_name)};
        if (!text.empty()) {
            TT_TRY(const auto index, model::parse_weight_index(text));
            names.clear();
            for (const auto& [tensor, file] : index) names.insert(file);
        }
        for (const std::string& name : names) {
            const auto* file = find_file(repository_, name);
            if (file == nullptr)
                return fail(ErrorCode::hub_malformed,
                            repository_.reference.repository + ": the index names " +
                                quote_foreign(name) + ", which is not there");
            weights_.push_back(*file);
        }
        return {};
    }

    /// For the weights and for what is made of them, before hours are spent.
    Result<void> ensure_room() const {
        uint64_t need = 0;
        for (const hub::HfFile& file : weights_) {
            std::error_code failed;
            const bool is_there = fs::exists(folder_ + "/" + file.path, failed);
            need += is_there ? file.bytes : 2 * file.bytes;
        }
        std::error_code failed;
        const auto space = fs::space(folder_, failed);
        if (failed || space.available >= need) return {};
        return fail(
            ErrorCode::io_failed,
            fmt::format("{}: have {} free on this disk, need up to {} for the checkpoint "
                        "and what is made of it; make room or name another place with --out",
                        folder_, model::show_byte_count(space.available),
                        model::show_byte_count(need)));
    }

    /// What was fetched and nothing else: the folder may have been somebody's before.
    void remove_checkpoint() const {
        std::error_code failed;
        for (const auto* list : {&small_, &weights_}) {
            for (const hub::HfFile& file : *list) {
                const std::string path = folder_ + "/" + file.path;
                for (const char* ending : {"", ".part", ".part.json"})
                    fs::remove(path + ending, failed);
                // Of an index with folders in it.
                for (fs::path at = fs::path(path).parent_path(); at != fs::path(folder_);
                     at = at.parent_path())
                    fs::remove(at, failed);
            }
        }
        fs::remove(folder_, failed);
        if (fs::exists(folder_, failed))
            PullSession::say(folder_ + " stays: it has files that were not fetched");
    }

    PullReport report(const Imported& made) const {
        PullReport out;
        out.json = {{"file", out_},
                    {"source", repository_.page()},
                    {"licence", repository_.model.licence},
                    {"commit", repository_.model.commit},
                    {"architecture", made.architecture},
                    {"tensors", made.tensors},
                    {"bytes", made.bytes},
                    {"fetched_bytes", fetched_bytes_},
                    {"resumed_bytes", resumed_bytes_}};
        out.text = fmt::format("{}\n  {}, {}, imported from {} files that were checked\n", out_,
                               model::show_byte_count(made.bytes), made.architecture,
                               small_.size() + weights_.size());
        if (options_.keep_checkpoint) out.text += "  checkpoint: " + folder_ + "\n";
        if (!repository_.model.licence.empty())
            out.text += "  licence: " + repository_.model.licence + "\n";
        out.text += next_commands(out_);
        return out;
    }

    const PullOptions& options_;
    const PullSession& pulling_;
    const HfRepository& repository_;
    std::string name_;
    std::string out_;
    std::string folder_;
    std::vector<hub::HfFile> small_;
    std::vector<hub::HfFile> weights_;
    uint64_t fetched_bytes_ = 0;
    uint64_t resumed_bytes_ = 0;
};

}  // namespace

Result<PullReport> pull_checkpoint(const PullOptions& options, const PullSession& pulling,
                                   const HfRepository& repository) {
    return Checkpoint(options, pulling, repository).run();
}

}  // namespace teetee::cli
