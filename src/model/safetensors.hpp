// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace teetee::model {

enum class SafetensorsType {
    boolean,
    u8,
    i8,
    f8_e5m2,
    f8_e4m3,
    i16,
    u16,
    f16,
    bf16,
    i32,
    u32,
    f32,
    i64,
    u64,
    f64,
};

/// dimensions[0] is the outermost: a matrix of `rows` x `columns` is {rows, columns}.
struct SafetensorsTensor {
    std::string name;
    SafetensorsType type{};
    std::vector<uint64_t> dimensions;  // none for a scalar; a 0 makes the tensor empty
    uint64_t offset = 0;               // from the start of the file
    uint64_t bytes = 0;
};

/// The validated, read-only index of a safetensors file (Hugging Face's format description). After
/// parse() succeeded the tensors cover the bytes behind the header exactly, without overlap.
/// Holds views into `file`, which MUST outlive it.
class Safetensors {
  public:
    /// Error: safetensors_malformed, naming the tensor or the byte of the header.
    static Result<Safetensors> parse(ByteView file);

    /// In the order of their data.
    std::span<const SafetensorsTensor> tensors() const { return tensors_; }
    const SafetensorsTensor* find(std::string_view name) const;
    ByteView data(const SafetensorsTensor& tensor) const;
    /// The texts under __metadata__, in file order.
    std::span<const std::pair<std::string, std::string>> metadata() const { return metadata_; }

  private:
    ByteView file_;
    std::vector<SafetensorsTensor> tensors_;
    std::vector<uint32_t> tensors_by_name_;
    std::vector<std::pair<std::string, std::string>> metadata_;
};

}  // namespace teetee::model
