// SPDX-License-Identifier: Apache-2.0
#include "model/gguf.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/assert.hpp"
#include "model/limits.hpp"

namespace teetee::model {
namespace {

constexpr uint32_t magic = 0x46554747;  // "GGUF"
constexpr uint32_t version = 3;

/// What a failed read means here: the file ends inside `what`.
template <class T>
Result<T> within(std::string_view what, Result<T> read) {
    if (read) return read;
    return fail(ErrorCode::gguf_truncated, std::string(what) + ": " + read.error().detail);
}

Error over_limit(std::string_view what, uint64_t have, uint64_t most) {
    return fail(ErrorCode::gguf_malformed, std::string(what) + ": have " + std::to_string(have) +
                                               ", need at most " + std::to_string(most));
}

Result<std::string_view> read_string(ByteReader& reader, std::string_view what,
                                     uint64_t bytes_max) {
    TT_TRY(const uint64_t count, within(what, reader.read_u64()));
    if (count > bytes_max) return over_limit(what, count, bytes_max);
    TT_TRY(const ByteView bytes, within(what, reader.read_bytes(count)));
    return as_text(bytes);
}

/// A key or a tensor's name: these go into error texts and into the manifest.
Result<std::string_view> read_name(ByteReader& reader, std::string_view what, uint64_t bytes_max) {
    TT_TRY(const std::string_view name, read_string(reader, what, bytes_max));
    if (name.empty()) return fail(ErrorCode::gguf_malformed, std::string(what) + ": is empty");
    if (!is_utf8(name)) {
        return fail(ErrorCode::gguf_malformed, quote_foreign(name) + ": is not UTF-8");
    }
    return name;
}

Result<GgufType> read_type(ByteReader& reader) {
    TT_TRY(const uint32_t number, within("value type", reader.read_u32()));
    if (number > static_cast<uint32_t>(GgufType::f64)) {
        return fail(ErrorCode::gguf_unsupported, "value type " + std::to_string(number));
    }
    return static_cast<GgufType>(number);
}

/// Bytes of one value; 0 for the types without a fixed width.
uint64_t width_of(GgufType type) {
    switch (type) {
        case GgufType::u8:
        case GgufType::i8:
        case GgufType::boolean:
            return 1;
        case GgufType::u16:
        case GgufType::i16:
            return 2;
        case GgufType::u32:
        case GgufType::i32:
        case GgufType::f32:
            return 4;
        case GgufType::u64:
        case GgufType::i64:
        case GgufType::f64:
            return 8;
        case GgufType::string:
        case GgufType::array:
            return 0;
    }
    return 0;
}

Result<GgufValue> read_number(ByteReader& reader, GgufType type) {
    TT_TRY(const ByteView bytes, within("value", reader.read_bytes(width_of(type))));
    uint64_t bits = 0;
    for (size_t i = 0; i < bytes.size(); ++i) bits |= static_cast<uint64_t>(bytes[i]) << (8 * i);
    switch (type) {
        case GgufType::i8:
            return GgufValue(static_cast<int64_t>(static_cast<int8_t>(bits)));
        case GgufType::i16:
            return GgufValue(static_cast<int64_t>(static_cast<int16_t>(bits)));
        case GgufType::i32:
            return GgufValue(static_cast<int64_t>(static_cast<int32_t>(bits)));
        case GgufType::i64:
            return GgufValue(static_cast<int64_t>(bits));
        case GgufType::f32:
            return GgufValue(
                static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits))));
        case GgufType::f64:
            return GgufValue(std::bit_cast<double>(bits));
        case GgufType::boolean:
            if (bits > 1) return fail(ErrorCode::gguf_malformed, "boolean is neither 0 nor 1");
            return GgufValue(bits == 1);
        default:
            return GgufValue(bits);
    }
}

/// `strings_left` is what remains of the whole file's allowance, as each string costs memory here.
Result<GgufValue> read_array(ByteReader& reader, uint64_t& strings_left) {
    GgufArray array;
    TT_TRY(array.element_type, read_type(reader));
    TT_TRY(array.count, within("array", reader.read_u64()));
    if (array.count > gguf_array_count_max) {
        return over_limit("array elements", array.count, gguf_array_count_max);
    }
    if (array.element_type == GgufType::array) {
        return fail(ErrorCode::gguf_unsupported, "array of arrays");
    }
    if (array.element_type != GgufType::string) {
        const uint64_t bytes = array.count * width_of(array.element_type);
        TT_TRY(array.numbers, within("array", reader.read_bytes(bytes)));
        return GgufValue(std::move(array));
    }
    if (array.count > strings_left) {
        return over_limit("strings in arrays", array.count, strings_left);
    }
    strings_left -= array.count;
    // Each string takes at least its length field: a count that lies fails before it costs memory.
    if (array.count > reader.remaining() / sizeof(uint64_t)) {
        return fail(ErrorCode::gguf_truncated, "array: have " + std::to_string(reader.remaining()) +
                                                   " bytes for " + std::to_string(array.count) +
                                                   " strings");
    }
    array.strings.reserve(static_cast<size_t>(array.count));
    for (uint64_t i = 0; i < array.count; ++i) {
        TT_TRY(const auto text, read_string(reader, "string in array", gguf_string_bytes_max));
        array.strings.push_back(text);
    }
    return GgufValue(std::move(array));
}

Result<GgufValue> read_value(ByteReader& reader, GgufType type, uint64_t& strings_left) {
    if (type == GgufType::array) return read_array(reader, strings_left);
    if (type != GgufType::string) return read_number(reader, type);
    TT_TRY(const auto text, read_string(reader, "string", gguf_string_bytes_max));
    return GgufValue(text);
}

Result<std::vector<GgufEntry>> read_entries(ByteView file, ByteReader& reader, uint64_t count) {
    std::vector<GgufEntry> entries;
    uint64_t strings_left = gguf_strings_in_arrays_max;
    for (uint64_t i = 0; i < count; ++i) {
        const size_t begin = reader.position();
        GgufEntry entry;
        TT_TRY(entry.key, read_name(reader, "key", gguf_key_bytes_max));
        auto type = read_type(reader);
        if (!type) return in_context(quote_foreign(entry.key), std::move(type).error());
        entry.type = *type;
        auto value = read_value(reader, entry.type, strings_left);
        if (!value) return in_context(quote_foreign(entry.key), std::move(value).error());
        entry.value = std::move(value).value();
        entry.encoded = file.subspan(begin, reader.position() - begin);
        entries.push_back(std::move(entry));
    }
    return entries;
}

/// Bytes of a whole tensor. The product is bounded by `bytes_max`, so no factor can wrap it.
Result<uint64_t> tensor_bytes(const GgufTensor& tensor, uint64_t bytes_max) {
    const tensor::BlockLayout block = tensor::block_layout(tensor.type);
    const uint64_t columns = tensor.dimensions[0];
    if (columns % block.elements != 0) {
        return fail(ErrorCode::gguf_malformed, "row of " + std::to_string(columns) +
                                                   " elements, need a multiple of " +
                                                   std::to_string(block.elements));
    }
    uint64_t bytes = block.bytes;
    const auto multiply = [&](uint64_t factor) -> bool {
        if (factor > bytes_max / bytes) return false;
        bytes *= factor;
        return true;
    };
    bool fits = bytes_max >= bytes && multiply(columns / block.elements);
    for (size_t i = 1; i < tensor.dimensions.size(); ++i) {
        fits = fits && multiply(tensor.dimensions[i]);
    }
    if (!fits) {
        return fail(ErrorCode::gguf_truncated,
                    "larger than the file of " + std::to_string(bytes_max) + " bytes");
    }
    return bytes;
}

/// The rest of a tensor's description after its name; `offset` still counts from the data section.
Result<void> read_layout(ByteReader& reader, GgufTensor& tensor, uint64_t file_bytes) {
    TT_TRY(const uint32_t dimension_count, within("dimensions", reader.read_u32()));
    if (dimension_count < 1 || dimension_count > gguf_dimension_count_max) {
        return fail(ErrorCode::gguf_malformed, "have " + std::to_string(dimension_count) +
                                                   " dimensions, need 1 to " +
                                                   std::to_string(gguf_dimension_count_max));
    }
    for (uint32_t i = 0; i < dimension_count; ++i) {
        TT_TRY(const uint64_t dimension, within("dimensions", reader.read_u64()));
        if (dimension == 0) return fail(ErrorCode::gguf_malformed, "dimension of size 0");
        tensor.dimensions.push_back(dimension);
    }
    TT_TRY(const uint32_t type_number, within("tensor type", reader.read_u32()));
    const auto type = tensor::data_type_from(type_number);
    if (!type) {
        return fail(ErrorCode::gguf_unsupported, "tensor type " + std::to_string(type_number));
    }
    tensor.type = *type;
    TT_TRY(tensor.offset, within("tensor offset", reader.read_u64()));
    TT_TRY(tensor.bytes, tensor_bytes(tensor, file_bytes));
    return {};
}

Result<std::vector<GgufTensor>> read_tensors(ByteReader& reader, uint64_t count,
                                             uint64_t file_bytes) {
    std::vector<GgufTensor> tensors;
    for (uint64_t i = 0; i < count; ++i) {
        GgufTensor tensor;
        TT_TRY(tensor.name, read_name(reader, "tensor name", gguf_tensor_name_bytes_max));
        auto layout = read_layout(reader, tensor, file_bytes);
        if (!layout) return in_context(quote_foreign(tensor.name), std::move(layout).error());
        tensors.push_back(std::move(tensor));
    }
    return tensors;
}

Result<uint32_t> alignment_of(const GgufEntry* entry) {
    if (entry == nullptr) return gguf_alignment_default;
    const uint64_t* value = std::get_if<uint64_t>(&entry->value);
    if (entry->type != GgufType::u32 || !std::has_single_bit(*value) ||
        *value < gguf_alignment_min || *value > gguf_alignment_max) {
        return fail(ErrorCode::gguf_malformed, std::string(gguf_alignment_key) +
                                                   ": need a u32, a power of two from " +
                                                   std::to_string(gguf_alignment_min) + " to " +
                                                   std::to_string(gguf_alignment_max));
    }
    return static_cast<uint32_t>(*value);
}

/// Turns offsets into the data section into offsets into the file, each checked to lie inside it.
Result<void> place_tensors(std::vector<GgufTensor>& tensors, uint64_t header_bytes,
                           uint64_t file_bytes, uint32_t alignment) {
    const uint64_t data_begin = (header_bytes + alignment - 1) / alignment * alignment;
    for (GgufTensor& tensor : tensors) {
        if (tensor.offset % alignment != 0) {
            return fail(ErrorCode::gguf_malformed,
                        quote_foreign(tensor.name) + ": offset " + std::to_string(tensor.offset) +
                            " is not a multiple of " + std::to_string(alignment));
        }
        const uint64_t room = file_bytes - std::min(data_begin, file_bytes);
        if (tensor.offset > room || tensor.bytes > room - tensor.offset) {
            return fail(ErrorCode::gguf_truncated,
                        quote_foreign(tensor.name) + ": data section has " + std::to_string(room) +
                            " bytes, need " + std::to_string(tensor.bytes) + " at " +
                            std::to_string(tensor.offset));
        }
        tensor.offset += data_begin;
    }
    return {};
}

template <class Less>
std::vector<uint32_t> sorted_indices(size_t count, Less less) {
    std::vector<uint32_t> indices(count);
    std::iota(indices.begin(), indices.end(), 0U);
    std::sort(indices.begin(), indices.end(), less);
    return indices;
}

/// Indices of `items` in the order of their names, which must be unique.
template <class Item, class NameOf>
Result<std::vector<uint32_t>> index_by_name(const std::vector<Item>& items, NameOf name_of) {
    auto indices = sorted_indices(items.size(), [&](uint32_t a, uint32_t b) {
        return name_of(items[a]) < name_of(items[b]);
    });
    for (size_t i = 1; i < indices.size(); ++i) {
        const std::string_view name = name_of(items[indices[i]]);
        if (name == name_of(items[indices[i - 1]])) {
            return fail(ErrorCode::gguf_malformed, quote_foreign(name) + ": occurs twice");
        }
    }
    return indices;
}

template <class Item, class NameOf>
const Item* find_by_name(const std::vector<Item>& items, const std::vector<uint32_t>& indices,
                         std::string_view name, NameOf name_of) {
    const auto at = std::lower_bound(
        indices.begin(), indices.end(), name,
        [&](uint32_t index, std::string_view wanted) { return name_of(items[index]) < wanted; });
    if (at == indices.end() || name_of(items[*at]) != name) return nullptr;
    return &items[*at];
}

Result<void> ensure_no_overlap(const std::vector<GgufTensor>& tensors) {
    const auto by_offset = sorted_indices(tensors.size(), [&](uint32_t a, uint32_t b) {
        return tensors[a].offset < tensors[b].offset;
    });
    for (size_t i = 1; i < by_offset.size(); ++i) {
        const GgufTensor& before = tensors[by_offset[i - 1]];
        const GgufTensor& after = tensors[by_offset[i]];
        if (before.offset + before.bytes > after.offset) {
            return fail(ErrorCode::gguf_malformed,
                        quote_foreign(after.name) + ": overlaps " + quote_foreign(before.name));
        }
    }
    return {};
}

constexpr auto key_of = [](const GgufEntry& entry) { return entry.key; };
constexpr auto tensor_name_of = [](const GgufTensor& tensor) { return tensor.name; };

Error wrong_type(std::string_view key, std::string_view need) {
    return fail(ErrorCode::gguf_malformed, quote_foreign(key) + ": need " + std::string(need));
}

}  // namespace

Result<Gguf> Gguf::parse(ByteView file) {
    return parse_head(file, file.size());
}

Result<Gguf> Gguf::parse_head(ByteView head, uint64_t file_bytes) {
    ByteReader reader(head.first(std::min<size_t>(head.size(), gguf_header_bytes_max)));
    TT_TRY(const uint32_t file_magic, within("magic", reader.read_u32()));
    if (file_magic != magic) return fail(ErrorCode::gguf_malformed, "magic is not GGUF");
    TT_TRY(const uint32_t file_version, within("version", reader.read_u32()));
    if (file_version != version) {
        return fail(ErrorCode::gguf_unsupported, "version: have " + std::to_string(file_version) +
                                                     ", need " + std::to_string(version) +
                                                     " in little-endian order");
    }
    TT_TRY(const uint64_t tensor_count, within("tensor count", reader.read_u64()));
    TT_TRY(const uint64_t entry_count, within("entry count", reader.read_u64()));
    if (tensor_count > gguf_tensor_count_max) {
        return over_limit("tensor count", tensor_count, gguf_tensor_count_max);
    }
    if (entry_count > gguf_entry_count_max) {
        return over_limit("entry count", entry_count, gguf_entry_count_max);
    }

    Gguf gguf;
    gguf.file_ = head;
    TT_TRY(gguf.entries_, read_entries(head, reader, entry_count));
    TT_TRY(gguf.entries_by_key_, index_by_name(gguf.entries_, key_of));
    TT_TRY(gguf.alignment_, alignment_of(gguf.find(gguf_alignment_key)));
    TT_TRY(gguf.tensors_, read_tensors(reader, tensor_count, file_bytes));
    TT_TRY(gguf.tensors_by_name_, index_by_name(gguf.tensors_, tensor_name_of));
    TT_CHECK(place_tensors(gguf.tensors_, reader.position(), file_bytes, gguf.alignment_));
    TT_CHECK(ensure_no_overlap(gguf.tensors_));
    return gguf;
}

const GgufEntry* Gguf::find(std::string_view key) const {
    return find_by_name(entries_, entries_by_key_, key, key_of);
}

const GgufTensor* Gguf::find_tensor(std::string_view name) const {
    return find_by_name(tensors_, tensors_by_name_, name, tensor_name_of);
}

ByteView Gguf::data(const GgufTensor& tensor) const {
    TT_ASSERT(tensor.offset + tensor.bytes <= file_.size());
    return file_.subspan(static_cast<size_t>(tensor.offset), static_cast<size_t>(tensor.bytes));
}

Result<std::optional<uint32_t>> Gguf::u32(std::string_view key) const {
    const GgufEntry* entry = find(key);
    if (entry == nullptr) return std::optional<uint32_t>();
    if (const auto* value = std::get_if<uint64_t>(&entry->value)) {
        if (std::in_range<uint32_t>(*value)) return std::optional(static_cast<uint32_t>(*value));
    }
    if (const auto* value = std::get_if<int64_t>(&entry->value)) {
        if (std::in_range<uint32_t>(*value)) return std::optional(static_cast<uint32_t>(*value));
    }
    return wrong_type(key, "an integer of 32 bits without sign");
}

Result<std::optional<float>> Gguf::f32(std::string_view key) const {
    const GgufEntry* entry = find(key);
    if (entry == nullptr) return std::optional<float>();
    const auto* value = std::get_if<double>(&entry->value);
    // Casting a finite double that no float can hold is undefined.
    if (value == nullptr ||
        (std::isfinite(*value) && std::abs(*value) > std::numeric_limits<float>::max())) {
        return wrong_type(key, "a float of 32 bits");
    }
    return std::optional(static_cast<float>(*value));
}

Result<std::optional<bool>> Gguf::boolean(std::string_view key) const {
    const GgufEntry* entry = find(key);
    if (entry == nullptr) return std::optional<bool>();
    const auto* value = std::get_if<bool>(&entry->value);
    if (value == nullptr) return wrong_type(key, "a boolean");
    return std::optional(*value);
}

Result<std::optional<std::string_view>> Gguf::string(std::string_view key) const {
    const GgufEntry* entry = find(key);
    if (entry == nullptr) return std::optional<std::string_view>();
    const auto* value = std::get_if<std::string_view>(&entry->value);
    if (value == nullptr) return wrong_type(key, "a string");
    return std::optional(*value);
}

Result<const GgufArray*> Gguf::array(std::string_view key, GgufType element_type) const {
    const GgufEntry* entry = find(key);
    if (entry == nullptr) return static_cast<const GgufArray*>(nullptr);
    const auto* value = std::get_if<GgufArray>(&entry->value);
    if (value == nullptr || value->element_type != element_type) {
        return wrong_type(
            key, "an array of type " + std::to_string(static_cast<uint32_t>(element_type)));
    }
    return value;
}

}  // namespace teetee::model
