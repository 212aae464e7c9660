// SPDX-License-Identifier: Apache-2.0
#include "cli/checkpoint_files.hpp"

#include <filesystem>

#include "cli/model_file.hpp"
#include "model/limits.hpp"
#include "model/tokenizer_json.hpp"
#include "model/tokenizer_limits.hpp"

namespace teetee::cli {
namespace {

struct TokenizerPaths {
    std::string folder{};  // of the configuration, with a slash behind
    std::string json{};    // "" for none
    std::string sentencepiece{};
};

Result<model::Vocabulary> read_from(const TokenizerPaths& paths) {
    std::string json;
    std::string sentencepiece;
    if (!paths.json.empty()) {
        TT_TRY(json, read_optional(paths.json, model::tokenizer_json_bytes_max));
    }
    if (json.empty() && !paths.sentencepiece.empty()) {
        TT_TRY(sentencepiece, read_optional(paths.sentencepiece, model::tokenizer_json_bytes_max));
    }
    TT_TRY(const auto config,
           read_optional(paths.folder + "tokenizer_config.json", model::json_tree_bytes_max));
    TT_TRY(const auto generation,
           read_optional(paths.folder + "generation_config.json", model::json_tree_bytes_max));
    TT_TRY(const auto chat_template,
           read_optional(paths.folder + "chat_template.jinja", model::chat_template_bytes_max));
    return model::vocabulary_from(model::TokenizerFiles{.tokenizer_json = json,
                                                        .sentencepiece_model = sentencepiece,
                                                        .tokenizer_config = config,
                                                        .generation_config = generation,
                                                        .chat_template = chat_template});
}

}  // namespace

Result<std::string> read_optional(const std::string& path, size_t bytes_max) {
    const auto bytes = net::read_file(path, bytes_max);
    if (!bytes && bytes.error().code == ErrorCode::not_found) return std::string();
    if (!bytes) return bytes.error();
    return std::string(as_text(*bytes));
}

Result<model::Vocabulary> read_vocabulary(const std::string& folder) {
    const std::string prefix = folder + "/";
    return read_from({prefix, prefix + "tokenizer.json", prefix + "tokenizer.model"});
}

Result<model::Tokenizer> open_tokenizer(const std::string& path) {
    std::error_code failed;
    const bool is_folder = std::filesystem::is_directory(path, failed);
    const bool is_json = path.ends_with(".json");
    if (!is_folder && !is_json && !path.ends_with(".model")) {
        TT_TRY(const auto file, ModelFile::open(path));
        return file.tokenizer();
    }
    const auto read = [&]() -> Result<model::Vocabulary> {
        if (is_folder) return read_vocabulary(path);
        if (!std::filesystem::exists(path, failed))
            return fail(ErrorCode::not_found, path + ": no such file");
        const size_t slash = path.rfind('/');
        const std::string folder = slash == path.npos ? "" : path.substr(0, slash + 1);
        return read_from(is_json ? TokenizerPaths{.folder = folder, .json = path}
                                 : TokenizerPaths{.folder = folder, .sentencepiece = path});
    };
    auto vocabulary = read();
    if (!vocabulary) return in_context(path, std::move(vocabulary).error());
    return model::Tokenizer::build(std::move(vocabulary).value());
}

}  // namespace teetee::cli
