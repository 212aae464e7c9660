// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <tuple>

#include "model/json_reader.hpp"
#include "model/limits.hpp"

namespace teetee::model {
namespace {

struct TypeRow {
    std::string_view name;
    SafetensorsType type;
    uint64_t bytes;
};

constexpr TypeRow type_rows[] = {
    {"BOOL", SafetensorsType::boolean, 1},    {"U8", SafetensorsType::u8, 1},
    {"I8", SafetensorsType::i8, 1},           {"F8_E5M2", SafetensorsType::f8_e5m2, 1},
    {"F8_E4M3", SafetensorsType::f8_e4m3, 1}, {"I16", SafetensorsType::i16, 2},
    {"U16", SafetensorsType::u16, 2},         {"F16", SafetensorsType::f16, 2},
    {"BF16", SafetensorsType::bf16, 2},       {"I32", SafetensorsType::i32, 4},
    {"U32", SafetensorsType::u32, 4},         {"F32", SafetensorsType::f32, 4},
    {"I64", SafetensorsType::i64, 8},         {"U64", SafetensorsType::u64, 8},
    {"F64", SafetensorsType::f64, 8},
};

Error malformed(std::string detail) {
    return fail(ErrorCode::safetensors_malformed, std::move(detail));
}

/// Bytes of so many values of this width; nothing when 64 bits cannot hold the number.
std::optional<uint64_t> bytes_of(const std::vector<uint64_t>& dimensions, uint64_t width) {
    uint64_t bytes = width;
    for (const uint64_t dimension : dimensions) {
        if (dimension != 0 && bytes > std::numeric_limits<uint64_t>::max() / dimension) return {};
        bytes *= dimension;
    }
    return bytes;
}

Result<std::vector<uint64_t>> read_integers(JsonReader& json, size_t count_max) {
    std::vector<uint64_t> out;
    TT_CHECK(json.array([&]() -> Result<void> {
        if (out.size() == count_max) {
            return malformed("need at most " + std::to_string(count_max) + " numbers");
        }
        TT_TRY(const uint64_t value, json.integer());
        out.push_back(value);
        return {};
    }));
    return out;
}

/// {"dtype": .., "shape": [..], "data_offsets": [begin, end]}; `offset` counts from the header's
/// end.
Result<SafetensorsTensor> read_tensor(JsonReader& json) {
    SafetensorsTensor tensor;
    const TypeRow* type = nullptr;
    std::optional<std::vector<uint64_t>> dimensions;
    std::vector<uint64_t> range;
    TT_CHECK(json.object([&](const std::string& key) -> Result<void> {
        if (key == "dtype") {
            TT_TRY(const std::string name, json.string());
            type = std::find_if(std::begin(type_rows), std::end(type_rows),
                                [&](const TypeRow& row) { return row.name == name; });
            if (type == std::end(type_rows)) return malformed("dtype " + quote_foreign(name));
        } else if (key == "shape") {
            TT_TRY(dimensions, read_integers(json, safetensors_dimension_count_max));
        } else if (key == "data_offsets") {
            TT_TRY(range, read_integers(json, 2));
        } else {
            return malformed("unknown key " + quote_foreign(key));
        }
        return {};
    }));
    if (type == nullptr || !dimensions || range.size() != 2) {
        return malformed("need dtype, shape and two data_offsets");
    }
    tensor.type = type->type;
    tensor.dimensions = *std::move(dimensions);
    if (range[1] < range[0]) return malformed("data ends before it begins");
    tensor.offset = range[0];
    tensor.bytes = range[1] - range[0];
    const auto need = bytes_of(tensor.dimensions, type->bytes);
    if (!need || *need != tensor.bytes) {
        return malformed("have " + std::to_string(tensor.bytes) + " bytes, the shape needs " +
                         (need ? std::to_string(*need) : "more than 2^64"));
    }
    return tensor;
}

struct Header {
    std::vector<SafetensorsTensor> tensors;
    std::vector<std::pair<std::string, std::string>> metadata;
};

Result<Header> read_header(std::string_view text) {
    Header header;
    JsonReader json(text);
    const auto on_member = [&](const std::string& key) -> Result<void> {
        if (key == "__metadata__") {
            return json.object([&](const std::string& name) -> Result<void> {
                if (header.metadata.size() == safetensors_metadata_count_max) {
                    return malformed("need at most " +
                                     std::to_string(safetensors_metadata_count_max) +
                                     " texts in __metadata__");
                }
                TT_TRY(std::string value, json.string());
                header.metadata.emplace_back(name, std::move(value));
                return {};
            });
        }
        if (header.tensors.size() == safetensors_tensor_count_max) {
            return malformed("need at most " + std::to_string(safetensors_tensor_count_max) +
                             " tensors");
        }
        auto tensor = read_tensor(json);
        if (!tensor) return in_context(quote_foreign(key), std::move(tensor).error());
        tensor->name = key;
        header.tensors.push_back(std::move(tensor).value());
        return {};
    };
    TT_CHECK(json.object(on_member));
    TT_CHECK(json.end());
    return header;
}

/// Orders tensors by their data, which must follow each other from the header to the file's end.
Result<void> place_tensors(std::vector<SafetensorsTensor>& tensors, uint64_t data_begin,
                           uint64_t data_bytes) {
    std::sort(tensors.begin(), tensors.end(),
              [](const SafetensorsTensor& a, const SafetensorsTensor& b) {
                  // The name comes last: any number of empty tensors may stand at one place.
                  return std::tie(a.offset, a.bytes, a.name) < std::tie(b.offset, b.bytes, b.name);
              });
    uint64_t end = 0;
    for (SafetensorsTensor& tensor : tensors) {
        if (tensor.offset != end) {
            return malformed(quote_foreign(tensor.name) + ": begins at " +
                             std::to_string(tensor.offset) + ", need " + std::to_string(end));
        }
        end += tensor.bytes;
        tensor.offset += data_begin;
    }
    if (end != data_bytes) {
        return malformed("have " + std::to_string(data_bytes) + " bytes of data, need " +
                         std::to_string(end));
    }
    return {};
}

}  // namespace

Result<Safetensors> Safetensors::parse(ByteView file) {
    ByteReader reader(file);
    const auto header_bytes = reader.read_u64();
    if (!header_bytes) return malformed("header length: " + header_bytes.error().detail);
    if (*header_bytes > safetensors_header_bytes_max) {
        return malformed("header of " + std::to_string(*header_bytes) + " bytes, need at most " +
                         std::to_string(safetensors_header_bytes_max));
    }
    const auto text = reader.read_bytes(*header_bytes);
    if (!text) return malformed("header: " + text.error().detail);
    auto header = read_header(as_text(*text));
    if (!header) return malformed("header: " + header.error().detail);

    Safetensors out;
    out.file_ = file;
    out.tensors_ = std::move(header->tensors);
    out.metadata_ = std::move(header->metadata);
    TT_CHECK(place_tensors(out.tensors_, reader.position(), reader.remaining()));
    out.tensors_by_name_.resize(out.tensors_.size());
    std::iota(out.tensors_by_name_.begin(), out.tensors_by_name_.end(), 0U);
    std::sort(out.tensors_by_name_.begin(), out.tensors_by_name_.end(),
              [&](uint32_t a, uint32_t b) { return out.tensors_[a].name < out.tensors_[b].name; });
    return out;
}

const SafetensorsTensor* Safetensors::find(std::string_view name) const {
    const auto at = std::lower_bound(
        tensors_by_name_.begin(), tensors_by_name_.end(), name,
        [&](uint32_t index, std::string_view wanted) { return tensors_[index].name < wanted; });
    if (at == tensors_by_name_.end() || tensors_[*at].name != name) return nullptr;
    return &tensors_[*at];
}

ByteView Safetensors::data(const SafetensorsTensor& tensor) const {
    return file_.subspan(static_cast<size_t>(tensor.offset), static_cast<size_t>(tensor.bytes));
}

}  // namespace teetee::model
