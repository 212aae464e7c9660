// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/gguf.hpp"
#include "model/limits.hpp"

namespace teetee::model {

/// Takes a file's bytes in their order. Its error ends the writing and is passed on.
using ByteSink = std::function<Result<void>(ByteView)>;

/// Puts a tensor's bytes into a sink, in pieces of any size. Its error ends the writing.
using TensorSource = std::function<Result<void>(const ByteSink&)>;

/// Writes a GGUF v3 file. Entries and tensors stand in the file in the order they were added, so
/// the same calls make the same bytes. Data is aligned to 32 bytes, or as the entry
/// general.alignment says once it was added.
class GgufWriter {
  public:
    /// Copies an entry of another file, byte for byte.
    void copy(const GgufEntry& entry);

    void u32(std::string_view key, uint32_t value);
    void f32(std::string_view key, float value);
    void boolean(std::string_view key, bool value);
    void string(std::string_view key, std::string_view value);
    void strings(std::string_view key, std::span<const std::string> values);
    void f32s(std::string_view key, std::span<const float> values);
    void i32s(std::string_view key, std::span<const int32_t> values);

    /// `tensor.offset` is ignored. `data` is not copied: it MUST live until write() has returned.
    void tensor(const GgufTensor& tensor, ByteView data);
    /// The same with data that is made only while it is written.
    void tensor(const GgufTensor& tensor, TensorSource source);

    /// What write() will write.
    uint64_t file_bytes() const;

    /// Keys, names and shapes are taken as they are; whether they make a valid file is for
    /// Gguf::parse to say. Errors: those of the sink and of the sources, and invalid_argument for
    /// data that has not `tensor.bytes` bytes.
    Result<void> write(const ByteSink& sink) const;

  private:
    struct TensorData {
        GgufTensor tensor;
        TensorSource source;
        uint64_t bytes = 0;  // that the source is known to have, or is trusted to
    };

    void begin_entry(std::string_view key, GgufType type);
    void begin_array(std::string_view key, GgufType element_type, size_t count);
    static Result<void> ensure_bytes(const TensorData& item, uint64_t bytes);
    uint64_t padded(uint64_t bytes) const;
    Bytes header() const;

    ByteWriter entries_;
    uint64_t entry_count_ = 0;
    uint32_t alignment_ = gguf_alignment_default;
    std::vector<TensorData> tensors_;
};

}  // namespace teetee::model
