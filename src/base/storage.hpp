// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

// Files as code without I/O of its own sees them; `net` has the real ones.
namespace teetee {

/// Bytes that can be read from any place, by several threads at once. Whoever owns the storage may
/// change them between two reads: check the copy that is used, not the source.
class ByteSource {
  public:
    virtual ~ByteSource() = default;
    virtual uint64_t size_bytes() const = 0;
    /// Fills `out` with the bytes from `offset` on. Error: io_failed, also past the end.
    virtual Result<void> read(uint64_t offset, std::span<uint8_t> out) const = 0;
};

/// A source in memory.
class MemorySource final : public ByteSource {
  public:
    /// `bytes` MUST outlive the source.
    explicit MemorySource(ByteView bytes) : bytes_(bytes) {}
    uint64_t size_bytes() const override { return bytes_.size(); }
    Result<void> read(uint64_t offset, std::span<uint8_t> out) const override;

  private:
    ByteView bytes_;
};

/// Named blobs that may be lost at any time: a cache.
class BlobStore {
  public:
    using Sink = std::function<Result<void>(ByteView)>;

    virtual ~BlobStore() = default;
    /// Errors: not_found, io_failed.
    virtual Result<std::unique_ptr<ByteSource>> open(const std::string& name) = 0;
    /// `fill` writes size_bytes bytes to the sink; readers see all of them or the blob that was
    /// there before. Others may go to make room. Errors: of `fill`; limit_exceeded for a blob
    /// larger than the whole store, io_failed.
    virtual Result<void> write(const std::string& name, uint64_t size_bytes,
                               const std::function<Result<void>(const Sink&)>& fill) = 0;
};

}  // namespace teetee
