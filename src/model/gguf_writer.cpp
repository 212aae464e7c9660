// SPDX-License-Identifier: Apache-2.0
#include "model/gguf_writer.hpp"

#include <bit>

#include "base/assert.hpp"

namespace teetee::model {
namespace {

void append_string(ByteWriter& out, std::string_view text) {
    out.u64(text.size());
    out.bytes(as_bytes(text));
}

}  // namespace

void GgufWriter::begin_entry(std::string_view key, GgufType type) {
    append_string(entries_, key);
    entries_.u32(static_cast<uint32_t>(type));
    ++entry_count_;
}

void GgufWriter::begin_array(std::string_view key, GgufType element_type, size_t count) {
    begin_entry(key, GgufType::array);
    entries_.u32(static_cast<uint32_t>(element_type));
    entries_.u64(count);
}

void GgufWriter::copy(const GgufEntry& entry) {
    if (const auto* value = std::get_if<uint64_t>(&entry.value);
        value != nullptr && entry.key == gguf_alignment_key) {
        alignment_ = static_cast<uint32_t>(*value);
    }
    entries_.bytes(entry.encoded);
    ++entry_count_;
}

void GgufWriter::u32(std::string_view key, uint32_t value) {
    if (key == gguf_alignment_key) {
        TT_ASSERT(std::has_single_bit(value));
        alignment_ = value;
    }
    begin_entry(key, GgufType::u32);
    entries_.u32(value);
}

void GgufWriter::f32(std::string_view key, float value) {
    begin_entry(key, GgufType::f32);
    entries_.u32(std::bit_cast<uint32_t>(value));
}

void GgufWriter::boolean(std::string_view key, bool value) {
    begin_entry(key, GgufType::boolean);
    entries_.u8(value ? 1 : 0);
}

void GgufWriter::string(std::string_view key, std::string_view value) {
    begin_entry(key, GgufType::string);
    append_string(entries_, value);
}

void GgufWriter::strings(std::string_view key, std::span<const std::string> values) {
    begin_array(key, GgufType::string, values.size());
    for (const std::string& value : values) append_string(entries_, value);
}

void GgufWriter::f32s(std::string_view key, std::span<const float> values) {
    begin_array(key, GgufType::f32, values.size());
    for (const float value : values) entries_.u32(std::bit_cast<uint32_t>(value));
}

void GgufWriter::i32s(std::string_view key, std::span<const int32_t> values) {
    begin_array(key, GgufType::i32, values.size());
    for (const int32_t value : values) entries_.u32(static_cast<uint32_t>(value));
}

void GgufWriter::tensor(const GgufTensor& tensor, ByteView data) {
    tensors_.push_back({tensor, [data](const ByteSink& sink) { return sink(data); }, data.size()});
}

void GgufWriter::tensor(const GgufTensor& tensor, TensorSource source) {
    tensors_.push_back({tensor, std::move(source), tensor.bytes});
}

uint64_t GgufWriter::padded(uint64_t bytes) const {
    return (bytes + alignment_ - 1) / alignment_ * alignment_;
}

Bytes GgufWriter::header() const {
    ByteWriter out;
    out.bytes(as_bytes("GGUF"));
    out.u32(3);
    out.u64(tensors_.size());
    out.u64(entry_count_);
    out.bytes(entries_.view());
    uint64_t offset = 0;
    for (const TensorData& item : tensors_) {
        append_string(out, item.tensor.name);
        out.u32(static_cast<uint32_t>(item.tensor.dimensions.size()));
        for (const uint64_t dimension : item.tensor.dimensions) out.u64(dimension);
        out.u32(static_cast<uint32_t>(item.tensor.type));
        out.u64(offset);
        offset += padded(item.tensor.bytes);
    }
    Bytes bytes = out.take();
    bytes.resize(padded(bytes.size()));
    return bytes;
}

uint64_t GgufWriter::file_bytes() const {
    uint64_t bytes = header().size();
    for (const TensorData& item : tensors_) bytes += padded(item.tensor.bytes);
    return bytes;
}

Result<void> GgufWriter::ensure_bytes(const TensorData& item, uint64_t bytes) {
    if (bytes == item.tensor.bytes) return {};
    return fail(ErrorCode::invalid_argument, quote_foreign(item.tensor.name) + ": have " +
                                                 std::to_string(bytes) + " bytes, need " +
                                                 std::to_string(item.tensor.bytes));
}

Result<void> GgufWriter::write(const ByteSink& sink) const {
    for (const TensorData& item : tensors_) TT_CHECK(ensure_bytes(item, item.bytes));
    TT_CHECK(sink(header()));
    for (const TensorData& item : tensors_) {
        uint64_t bytes = 0;
        TT_CHECK(item.source([&](ByteView piece) {
            bytes += piece.size();
            return sink(piece);
        }));
        TT_CHECK(ensure_bytes(item, bytes));
        // Readers in the field want the last tensor padded too.
        const Bytes padding(padded(item.tensor.bytes) - item.tensor.bytes);
        if (!padding.empty()) TT_CHECK(sink(padding));
    }
    return {};
}

}  // namespace teetee::model
