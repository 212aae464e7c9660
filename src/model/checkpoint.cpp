// SPDX-License-Identifier: Apache-2.0
#include "model/checkpoint.hpp"

#include <algorithm>

#include "model/json_reader.hpp"
#include "model/limits.hpp"

namespace teetee::model {
namespace {

Error malformed(std::string_view file, std::string_view why) {
    return fail(ErrorCode::safetensors_malformed, std::string(file) + ": " + std::string(why));
}

bool is_plain_file_name(std::string_view name) {
    const auto is_plain = [](char c) {
        return c != '/' && c != '\\' && static_cast<uint8_t>(c) >= ' ' && c != 0x7f;
    };
    return name.size() <= file_name_bytes_max && name.ends_with(".safetensors") &&
           !name.starts_with('.') && std::all_of(name.begin(), name.end(), is_plain);
}

}  // namespace

Result<WeightIndex> parse_weight_index(std::string_view text) {
    constexpr std::string_view where = "model.safetensors.index.json";
    if (text.size() > weight_index_bytes_max) {
        return fail(ErrorCode::limit_exceeded,
                    std::string(where) + ": have " + std::to_string(text.size()) +
                        " bytes, need at most " + std::to_string(weight_index_bytes_max));
    }
    WeightIndex index;
    JsonReader json(text);
    const auto on_weight = [&](const std::string& tensor) -> Result<void> {
        TT_TRY(const auto file, json.string());
        if (!is_plain_file_name(file)) {
            return malformed(where, "weight_map has the file " + quote_foreign(file) +
                                        ", need the name of a .safetensors file beside it");
        }
        if (index.size() == safetensors_tensor_count_max)
            return malformed(where, "weight_map has too many tensors");
        index.emplace(tensor, file);
        return {};
    };
    const auto on_member = [&](const std::string& key) -> Result<void> {
        if (key == "weight_map") return json.object(on_weight);
        if (key != "metadata") return malformed(where, quote_foreign(key) + " is not known");
        TT_CHECK(json.raw(json_depth_max));
        return {};
    };
    TT_CHECK(json.object(on_member));
    TT_CHECK(json.end());
    if (index.empty()) return malformed(where, "weight_map is missing or empty");
    return index;
}

Result<Checkpoint> Checkpoint::build(const std::vector<WeightFile>& files,
                                     const WeightIndex* index) {
    Checkpoint checkpoint;
    for (const WeightFile& file : files) {
        const auto parsed = Safetensors::parse(file.bytes);
        if (!parsed) return in_context(file.name, parsed.error());
        for (const SafetensorsTensor& tensor : parsed->tensors()) {
            if (index != nullptr) {
                const auto entry = index->find(tensor.name);
                if (entry == index->end() || entry->second != file.name) {
                    return malformed(file.name, "the index has no tensor " +
                                                    quote_foreign(tensor.name) + " here");
                }
            }
            checkpoint.tensors_.push_back({tensor, parsed->data(tensor)});
        }
    }
    if (index == nullptr || checkpoint.tensors_.size() == index->size()) return checkpoint;
    for (const auto& entry : *index) {
        const auto is_it = [&](const Tensor& t) { return t.description.name == entry.first; };
        if (std::none_of(checkpoint.tensors_.begin(), checkpoint.tensors_.end(), is_it))
            return malformed(entry.second, "tensor " + quote_foreign(entry.first) + " is missing");
    }
    return checkpoint;
}

}  // namespace teetee::model
