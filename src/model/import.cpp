// SPDX-License-Identifier: Apache-2.0
#include "model/import.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "model/hf_tensors.hpp"
#include "model/hyperparameters.hpp"
#include "model/import_rows.hpp"
#include "model/tokenizer_limits.hpp"
#include "model/vocabulary_writer.hpp"
#include "tensor/quantise.hpp"

namespace teetee::model {
namespace {

using tensor::DataType;

/// The number of the layer, before and behind which the other tensors stand.
struct TargetOrder {
    int64_t layer = -1;
    std::string name;
    auto operator<=>(const TargetOrder&) const = default;
};

TargetOrder order_of(const std::string& name) {
    TargetOrder order{name.starts_with("output") ? INT64_MAX : -1, name};
    constexpr std::string_view prefix = "blk.";
    if (name.starts_with(prefix))
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), order.layer);
    return order;
}

/// A tensor of the GGUF: one matrix or vector, or the matrices of all experts.
struct Target {
    DataType type = DataType::f32;
    std::vector<ImportRows> parts;
    std::vector<bool> present;  // of parts
    bool is_stack = false;
};

using Targets = std::map<TargetOrder, Target>;

Result<Targets> collect_targets(const Checkpoint& checkpoint, const HfConfig& config) {
    Targets targets;
    for (const Checkpoint::Tensor& tensor : checkpoint.tensors()) {
        TT_TRY(const auto place, place_of(config, tensor.description.name));
        if (!place) continue;
        const uint32_t heads =
            place->transform == HfTransform::permute_key ? config.kv_head_count : config.head_count;
        TT_TRY(auto rows, ImportRows::build(tensor, place->transform, heads));
        Target& target = targets[order_of(place->gguf_name)];
        const size_t part = place->expert.value_or(0);
        target.is_stack = place->expert.has_value();
        target.parts.resize(target.is_stack ? config.expert_count : 1);
        target.present.resize(target.parts.size());
        if (target.present[part]) {
            return fail(ErrorCode::architecture_unsupported,
                        "two tensors of the checkpoint become " + place->gguf_name);
        }
        target.present[part] = true;
        target.parts[part] = rows;
    }
    return targets;
}

/// Every layer has what the first one has, and what no model lacks is there. What an architecture
/// needs beyond that is checked where it is loaded.
Result<void> ensure_complete(const Targets& targets, const HfConfig& config) {
    const auto missing = [](const std::string& name) {
        return fail(ErrorCode::tensor_missing, "the checkpoint has nothing for " + name);
    };
    std::vector<std::string> outer = {"token_embd.weight", "output_norm.weight",
                                      "blk.0.attn_norm.weight"};
    if (!config.ties_output) outer.push_back("output.weight");
    for (const std::string& name : outer)
        if (!targets.contains(order_of(name))) return missing(name);
    const std::string first_layer = "blk.0.";
    size_t count_per_layer = 0;
    size_t layer_tensor_count = 0;
    for (const auto& [order, target] : targets) {
        if (std::find(target.present.begin(), target.present.end(), false) != target.present.end())
            return missing("every expert of " + order.name);
        for (const ImportRows& part : target.parts) {
            if (part.row_count() != target.parts[0].row_count() ||
                part.column_count() != target.parts[0].column_count())
                return fail(ErrorCode::tensor_shape_wrong, order.name + ": experts differ");
        }
        if (order.name.starts_with("blk.")) ++layer_tensor_count;
        if (!order.name.starts_with(first_layer)) continue;
        ++count_per_layer;
        for (uint32_t layer = 1; layer < config.layer_count; ++layer) {
            const std::string name =
                "blk." + std::to_string(layer) + "." + order.name.substr(first_layer.size());
            if (!targets.contains(order_of(name))) return missing(name);
        }
    }
    if (layer_tensor_count == count_per_layer * config.layer_count) return {};
    return fail(ErrorCode::architecture_unsupported, "layers have different tensors");
}

DataType stored_type(SafetensorsType type) {
    if (type == SafetensorsType::f16) return DataType::f16;
    return type == SafetensorsType::bf16 ? DataType::bf16 : DataType::f32;
}

DataType type_of(const std::string& name, const ImportRows& rows, std::optional<DataType> wanted) {
    const bool stays_exact = rows.is_vector() || name == "position_embd.weight" ||
                             name.ends_with(".ffn_gate_inp.weight");
    if (stays_exact) return DataType::f32;
    const DataType type = wanted.value_or(stored_type(rows.type()));
    const bool has_whole_blocks = rows.column_count() % block_layout(type).elements == 0;
    return has_whole_blocks ? type : DataType::f16;
}

std::vector<uint64_t> dimensions_of(const Target& target) {
    const ImportRows& rows = target.parts[0];
    if (rows.is_vector()) return {rows.row_count()};
    std::vector<uint64_t> dimensions = {rows.column_count(), rows.row_count()};
    if (target.is_stack) dimensions.push_back(target.parts.size());
    return dimensions;
}

uint64_t row_bytes_of(const Target& target) {
    const tensor::BlockLayout layout = block_layout(target.type);
    return target.parts[0].column_count() / layout.elements * layout.bytes;
}

/// Counts what was written, for the progress of the whole.
struct Meter {
    const Progress& progress;
    uint64_t total_bytes = 0;
    uint64_t done_bytes = 0;

    void add(uint64_t bytes) {
        done_bytes += bytes;
        if (progress) progress(done_bytes, total_bytes);
    }
};

Result<void> write_rows(const std::string& name, const Target& target, Meter& meter,
                        const ByteSink& sink) {
    constexpr size_t buffer_bytes = 1 << 20;
    const uint64_t row_bytes = row_bytes_of(target);
    std::vector<float> values(target.parts[0].column_count());
    Bytes buffer;
    const auto flush = [&]() -> Result<void> {
        TT_CHECK(sink(buffer));
        meter.add(buffer.size());
        buffer.clear();
        return {};
    };
    for (const ImportRows& rows : target.parts) {
        for (uint64_t row = 0; row < rows.row_count(); ++row) {
            rows.read(row, values);
            buffer.resize(buffer.size() + row_bytes);
            if (!encode_row(target.type, values, buffer.data() + buffer.size() - row_bytes)) {
                return fail(ErrorCode::tensor_type_unsupported,
                            name + ": a weight is not finite, or too large for " +
                                std::string(to_string(target.type)));
            }
            if (buffer.size() >= buffer_bytes) TT_CHECK(flush());
        }
    }
    return flush();
}

/// The numbers that llama.cpp has for "mostly this type".
uint32_t file_type_of(DataType type) {
    switch (type) {
        case DataType::f16:
            return 1;
        case DataType::q4_0:
            return 2;
        case DataType::q4_1:
            return 3;
        case DataType::q8_0:
            return 7;
        case DataType::q5_0:
            return 8;
        case DataType::q5_1:
            return 9;
        case DataType::bf16:
            return 32;
        default:
            return 0;
    }
}

/// Readers in the field want a token for each row of the embedding.
void pad_vocabulary(Vocabulary& vocabulary, uint64_t row_count) {
    for (size_t id = vocabulary.tokens.size(); id < row_count; ++id) {
        vocabulary.tokens.push_back(
            {.text = "[PAD" + std::to_string(id) + "]", .type = TokenType::unused});
    }
}

/// What write() would make must be what this program reads.
Result<void> ensure_readable(const GgufWriter& keys, uint64_t vocabulary_size) {
    Bytes file;
    TT_CHECK(keys.write([&](ByteView bytes) -> Result<void> {
        file.insert(file.end(), bytes.begin(), bytes.end());
        return {};
    }));
    TT_TRY(const auto gguf, Gguf::parse(file));
    TT_TRY(auto hyperparameters, hyperparameters_from(gguf));
    TT_TRY(const auto vocabulary, vocabulary_from(gguf));
    hyperparameters.vocabulary_size = static_cast<uint32_t>(vocabulary_size);
    return ensure_fits(vocabulary, hyperparameters);
}

void add_vector(GgufWriter& writer, std::string_view name, const std::vector<float>& values) {
    if (values.empty()) return;
    const ByteView bytes(reinterpret_cast<const uint8_t*>(values.data()), 4 * values.size());
    writer.tensor({name, {values.size()}, DataType::f32, 0, bytes.size()}, bytes);
}

}  // namespace

Result<void> write_gguf(const Checkpoint& checkpoint, const HfConfig& config, Vocabulary vocabulary,
                        const ImportOptions& options, const ByteSink& sink) {
    TT_TRY(auto targets, collect_targets(checkpoint, config));
    TT_CHECK(ensure_complete(targets, config));
    Meter meter{options.progress};
    for (auto& [order, target] : targets) {
        target.type = type_of(order.name, target.parts[0], options.type);
        meter.total_bytes +=
            row_bytes_of(target) * target.parts[0].row_count() * target.parts.size();
    }
    const Target& embedding = targets.at(order_of("token_embd.weight"));
    const uint64_t vocabulary_size = embedding.parts[0].row_count();
    if (vocabulary_size > token_count_max)
        return fail(ErrorCode::tensor_shape_wrong, "token_embd.weight has too many rows");
    pad_vocabulary(vocabulary, vocabulary_size);

    GgufWriter writer;
    write_hyperparameters(config, writer);
    writer.u32("general.file_type", file_type_of(embedding.type));
    if (block_layout(embedding.type).elements > 1) writer.u32("general.quantization_version", 2);
    write_vocabulary(vocabulary, writer);
    TT_CHECK(ensure_readable(writer, vocabulary_size));
    add_vector(writer, "rope_freqs.weight", config.rope_divisors);
    add_vector(writer, "rope_factors_long.weight", config.rope_divisors_long);
    add_vector(writer, "rope_factors_short.weight", config.rope_divisors_short);
    for (const auto& [order, target] : targets) {
        uint64_t bytes = row_bytes_of(target) * target.parts[0].row_count() * target.parts.size();
        writer.tensor({order.name, dimensions_of(target), target.type, 0, bytes},
                      [&name = order.name, &rows = target, &meter](const ByteSink& to) {
                          return write_rows(name, rows, meter, to);
                      });
    }
    return writer.write(sink);
}

}  // namespace teetee::model
