// SPDX-License-Identifier: Apache-2.0
#include "hub/gguf_choice.hpp"

#include <algorithm>
#include <optional>

#include "base/ascii.hpp"

namespace teetee::hub {
namespace {

constexpr std::string_view suffix = ".gguf";

std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

struct Part {
    size_t number = 1;
    size_t count = 1;
};

std::optional<uint64_t> parse_five_digits(std::string_view text) {
    return text.size() == 5 ? parse_decimal(text) : std::nullopt;
}

/// As llama.cpp's gguf-split names them: NAME-00001-of-00003.gguf.
Part part_of(std::string_view path) {
    constexpr size_t tail_bytes = 15;  // "-00001-of-00003"
    if (path.size() < suffix.size() + tail_bytes) return {};
    const auto tail = path.substr(path.size() - suffix.size() - tail_bytes, tail_bytes);
    const auto number = parse_five_digits(tail.substr(1, 5));
    const auto count = parse_five_digits(tail.substr(10, 5));
    if (tail.front() != '-' || tail.substr(6, 4) != "-of-" || !number || !count) return {};
    return {*number, *count};
}

bool is_gguf(std::string_view path) {
    return path.size() > suffix.size() && to_lower(path).ends_with(suffix);
}

bool is_no_language_model(std::string_view path) {
    const std::string name = to_lower(base_name(path));
    return name.starts_with("mmproj") || name.find("imatrix") != name.npos;
}

/// As a word of its own: "a-Q4_K_M.gguf", "a.Q4_K_M.gguf", "Q4_K_M/a.gguf".
bool has_quantisation(std::string_view path, std::string_view quantisation) {
    const std::string text = "/" + to_lower(path.substr(0, path.size() - suffix.size())) + "/";
    const std::string word = to_lower(quantisation);
    const auto ends_word = [](char c) { return c == '/' || c == '-' || c == '.'; };
    for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
        if (ends_word(text[at - 1]) && ends_word(text[at + word.size()])) return true;
    }
    return false;
}

Result<HfFile> take_whole(const HfFile& file) {
    const Part part = part_of(file.path);
    if (part.count <= 1) return file;
    return fail(ErrorCode::unsupported,
                file.path + " is one of " + std::to_string(part.count) +
                    " parts of a model, and TeeTee reads models in one file: choose another, or "
                    "join the parts (llama.cpp's llama-gguf-split --merge) and use the result");
}

}  // namespace

std::vector<GgufModel> list_gguf_models(const std::vector<HfFile>& files) {
    std::vector<GgufModel> out;
    for (const HfFile& file : files) {
        if (!is_gguf(file.path) || is_no_language_model(file.path)) continue;
        const Part part = part_of(file.path);
        if (part.number == 1) out.push_back({file, part.count, file.bytes});
    }
    for (GgufModel& model : out) {
        if (model.parts == 1) continue;
        const auto stem = model.file.path.substr(0, model.file.path.size() - suffix.size() - 14);
        for (const HfFile& file : files) {
            const Part part = part_of(file.path);
            if (part.number > 1 && part.count == model.parts && file.path.starts_with(stem))
                model.bytes += file.bytes;
        }
    }
    return out;
}

Result<HfFile> choose_gguf(const std::vector<HfFile>& files, const HfReference& reference) {
    if (!reference.file.empty()) {
        const auto found = std::ranges::find(files, reference.file, &HfFile::path);
        if (found == files.end() || !is_gguf(found->path))
            return fail(ErrorCode::not_found, reference.repository + " has no GGUF file " +
                                                  quote_foreign(reference.file));
        return take_whole(*found);
    }
    const auto models = list_gguf_models(files);
    if (models.empty())
        return fail(ErrorCode::not_found, reference.repository + " has no model in GGUF");
    const bool is_named = !reference.quantisation.empty();
    if (!is_named && models.size() == 1) return take_whole(models.front().file);
    const std::string wanted =
        is_named ? reference.quantisation : std::string(preferred_quantisation);
    std::vector<const GgufModel*> fitting;
    for (const GgufModel& model : models)
        if (has_quantisation(model.file.path, wanted)) fitting.push_back(&model);
    if (fitting.size() == 1) return take_whole(fitting.front()->file);
    if (fitting.empty() && is_named)
        return fail(ErrorCode::not_found,
                    reference.repository + " has no model in GGUF as " + quote_foreign(wanted));
    return fail(ErrorCode::file_ambiguous,
                reference.repository + " has " + std::to_string(models.size()) +
                    " models in GGUF, and " + std::to_string(fitting.size()) + " are " + wanted +
                    ": name one with --file, or as hf:" + reference.repository + "/FILE");
}

}  // namespace teetee::hub
