// SPDX-License-Identifier: Apache-2.0
#include "model/cut.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "model/limits.hpp"

namespace teetee::model {
namespace {

/// "10-15" or "10".
std::optional<LayerRange> parse_range(std::string_view text) {
    const char* const end = text.data() + text.size();
    LayerRange range;
    auto read = std::from_chars(text.data(), end, range.begin);
    uint32_t last = range.begin;
    if (read.ec == std::errc() && read.ptr != end && *read.ptr == '-')
        read = std::from_chars(read.ptr + 1, end, last);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    if (last < range.begin || last >= layer_count_max) return std::nullopt;
    range.end = last + 1;
    return range;
}

}  // namespace

Result<std::vector<LayerRange>> even_cut(uint32_t layer_count, uint32_t shard_count) {
    if (shard_count < 1 || shard_count > layer_count || shard_count > shard_count_max) {
        return fail(ErrorCode::invalid_argument,
                    "shards: have " + std::to_string(shard_count) + ", need 1 to " +
                        std::to_string(std::min(layer_count, shard_count_max)) +
                        ", as the model has " + std::to_string(layer_count) + " layers");
    }
    std::vector<uint32_t> counts(shard_count, layer_count / shard_count);
    uint32_t left = layer_count % shard_count;
    for (uint32_t i = 1; i + 1 < shard_count && left > 0; ++i, --left) ++counts[i];
    counts[0] += left;

    std::vector<LayerRange> cut;
    uint32_t begin = 0;
    for (const uint32_t count : counts) {
        cut.push_back({begin, begin + count});
        begin += count;
    }
    return cut;
}

Result<void> validate_cut(std::span<const LayerRange> cut, uint32_t layer_count) {
    if (cut.empty() || cut.size() > shard_count_max) {
        return fail(ErrorCode::invalid_argument, "shards: have " + std::to_string(cut.size()) +
                                                     ", need 1 to " +
                                                     std::to_string(shard_count_max));
    }
    uint32_t end = 0;
    for (size_t i = 0; i < cut.size(); ++i) {
        const uint32_t last_end = i + 1 == cut.size() ? layer_count : cut[i].end;
        if (cut[i].begin != end || cut[i].end <= cut[i].begin || cut[i].end != last_end ||
            cut[i].end > layer_count) {
            return fail(ErrorCode::invalid_argument,
                        "shard " + std::to_string(i) + ": has layers " +
                            std::to_string(cut[i].begin) + " to " + std::to_string(cut[i].end) +
                            ", need some from " + std::to_string(end) + " on, up to " +
                            std::to_string(layer_count) + " in the last shard");
        }
        end = cut[i].end;
    }
    return {};
}

Result<std::vector<LayerRange>> parse_cut(std::string_view text) {
    std::vector<LayerRange> cut;
    for (size_t begin = 0; begin <= text.size();) {
        const size_t comma = std::min(text.find(',', begin), text.size());
        const std::string_view part = text.substr(begin, comma - begin);
        const auto range = parse_range(part);
        if (!range || cut.size() == shard_count_max) {
            return fail(ErrorCode::invalid_argument,
                        "cut: have " + quote_foreign(part) + " as shard " +
                            std::to_string(cut.size()) + ", need layers as 10-15, for at most " +
                            std::to_string(shard_count_max) + " shards");
        }
        cut.push_back(*range);
        begin = comma + 1;
    }
    return cut;
}

std::string show_cut(std::span<const LayerRange> cut) {
    std::string text;
    for (const LayerRange& range : cut) {
        if (!text.empty()) text += ',';
        text += std::to_string(range.begin);
        if (range.count() > 1) text += '-' + std::to_string(range.end - 1);
    }
    return text;
}

std::optional<uint32_t> layer_of(std::string_view tensor_name) {
    constexpr std::string_view prefix = "blk.";
    if (!tensor_name.starts_with(prefix)) return std::nullopt;
    const char* begin = tensor_name.data() + prefix.size();
    const char* name_end = tensor_name.data() + tensor_name.size();
    uint32_t layer = 0;
    const auto [end, failure] = std::from_chars(begin, name_end, layer);
    if (failure != std::errc() || end == name_end || *end != '.') return std::nullopt;
    if (*begin == '0' && end != begin + 1) return std::nullopt;
    return layer;
}

bool serves(const ModelLayout& layout, LayerRange layers, std::string_view tensor_name) {
    const bool first = layers.begin == 0;
    const bool last = layers.end == layout.layer_count;
    if (const auto layer = layer_of(tensor_name)) {
        return *layer >= layers.begin && *layer < layers.end;
    }
    if (tensor_name == "token_embd.weight") return first || (last && layout.output_tied);
    if (tensor_name == "position_embd.weight") return first;
    if (tensor_name.starts_with("output.") || tensor_name.starts_with("output_norm.")) return last;
    return true;
}

}  // namespace teetee::model
