// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "tensor/data_type.hpp"

namespace teetee::model {

/// Value types of GGUF metadata, with their numbers in the file (GGUF v3 specification, ggml).
enum class GgufType : uint32_t {
    u8 = 0,
    i8 = 1,
    u16 = 2,
    i16 = 3,
    u32 = 4,
    i32 = 5,
    f32 = 6,
    boolean = 7,
    string = 8,
    array = 9,
    u64 = 10,
    i64 = 11,
    f64 = 12,
};

/// A u32: to what multiple, in bytes, each tensor's offset is padded.
constexpr std::string_view gguf_alignment_key = "general.alignment";

/// A homogeneous array: strings as views into the file, numbers as their raw little-endian bytes.
struct GgufArray {
    GgufType element_type{};
    uint64_t count = 0;
    std::vector<std::string_view> strings;  // only for element_type string
    ByteView numbers;                       // only for number types; count * width bytes
};

using GgufValue = std::variant<uint64_t, int64_t, double, bool, std::string_view, GgufArray>;

struct GgufEntry {
    std::string_view key;
    GgufType type{};
    GgufValue value;   // unsigned, signed and float types widened
    ByteView encoded;  // the entry's bytes as they stand in the file, for copying it unchanged
};

/// dimensions[0] is the contiguous one: a matrix of `rows` x `columns` is {columns, rows}.
struct GgufTensor {
    std::string_view name;
    std::vector<uint64_t> dimensions;  // 1 to 4, each at least 1
    tensor::DataType type{};
    uint64_t offset = 0;  // from the start of the file
    uint64_t bytes = 0;
};

/// The validated, read-only index of a GGUF v3 file. After parse() succeeded every tensor lies
/// inside the file, aligned, without overlap, and every count and product has been bounded.
/// Holds views into `file`, which MUST outlive it.
class Gguf {
  public:
    /// Errors: gguf_malformed, gguf_truncated, gguf_unsupported, each naming the key or tensor.
    static Result<Gguf> parse(ByteView file);
    /// The same where only the beginning of the file is in memory: gguf_truncated if all before the
    /// data section is not in `head`. data() is for tensors inside it.
    static Result<Gguf> parse_head(ByteView head, uint64_t file_bytes);

    std::span<const GgufEntry> entries() const { return entries_; }
    std::span<const GgufTensor> tensors() const { return tensors_; }
    const GgufEntry* find(std::string_view key) const;
    const GgufTensor* find_tensor(std::string_view name) const;
    ByteView data(const GgufTensor& tensor) const;
    ByteView file() const { return file_; }
    uint32_t alignment() const { return alignment_; }

    /// Typed look-ups. Absent key: nullopt. Present with another type or out of the asked range:
    /// gguf_malformed naming the key. Integers accept every integer type that holds the value.
    Result<std::optional<uint32_t>> u32(std::string_view key) const;
    Result<std::optional<float>> f32(std::string_view key) const;
    Result<std::optional<bool>> boolean(std::string_view key) const;
    Result<std::optional<std::string_view>> string(std::string_view key) const;
    /// Points into the index; null when absent.
    Result<const GgufArray*> array(std::string_view key, GgufType element_type) const;

  private:
    ByteView file_;
    uint32_t alignment_ = 32;
    std::vector<GgufEntry> entries_;   // in file order; keys unique
    std::vector<GgufTensor> tensors_;  // in file order; names unique
    std::vector<uint32_t> entries_by_key_;
    std::vector<uint32_t> tensors_by_name_;
};

}  // namespace teetee::model
