// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace teetee::tensor {

/// Zeroed memory for weights, aligned to a cache line and, when it is large, to 2 MiB with huge
/// pages asked for: reading weights is what decoding spends its time on, and 4 KiB pages cost a
/// tenth of the bandwidth in address translation. Memory that cannot be had ends the process.
class HugeBuffer {
  public:
    HugeBuffer() = default;
    explicit HugeBuffer(size_t bytes);
    ~HugeBuffer();
    HugeBuffer(HugeBuffer&& other) noexcept { *this = std::move(other); }
    HugeBuffer& operator=(HugeBuffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(mapping_, other.mapping_);
        std::swap(mapping_bytes_, other.mapping_bytes_);
        return *this;
    }

    uint8_t* data() { return data_; }
    const uint8_t* data() const { return data_; }
    size_t size() const { return size_; }

  private:
    uint8_t* data_ = nullptr;
    size_t size_ = 0;
    void* mapping_ = nullptr;
    size_t mapping_bytes_ = 0;
};

}  // namespace teetee::tensor
