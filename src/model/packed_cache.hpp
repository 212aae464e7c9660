// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/request.hpp"
#include "base/storage.hpp"
#include "crypto/secret.hpp"
#include "tensor/thread_pool.hpp"

namespace teetee::model {

/// The packed matrices of one load, kept in a BlobStore so that the next load need not pack them.
/// Whoever owns the store may write anything into it: only bytes that an earlier load with the
/// same key and identity wrote are used, and they are checked in the memory they are used from.
///
/// A blob is, in little-endian: the 8 bytes "TTPACKED" · u32 version 1 · u32 packed_layout_version
/// · 32 bytes of name · u64 piece count · SHA-256 of each piece · HMAC-SHA256 under the key over
/// all before it · the matrices in the order in which the architecture takes them, cut into pieces
/// of a mebibyte, the last of each matrix shorter.
class PackedCache {
  public:
    struct Identity {
        /// Of the weights: a shard root, or what tells one state of a file from all others.
        Digest weights{};
        LayerRange layers;
    };
    /// The key is a TEE's; of zeros, the HMAC is a checksum against damage alone.
    PackedCache(BlobStore& store, const Identity& identity, crypto::Secret<32> key);

    /// Opens what an earlier load has kept. Before the first take().
    void open();
    /// Fills `matrix` with what an earlier load kept as its next matrix. False: pack it. The memory
    /// MUST stay until keep().
    bool take(std::span<uint8_t> matrix, tensor::ThreadPool& pool);
    /// After the last take(), every matrix filled: writes them, unless all came from the store.
    /// Errors: those of BlobStore::write. The cache is empty then, which harms nothing.
    Result<void> keep(tensor::ThreadPool& pool);

    /// All matrices came from the store.
    bool was_used() const { return used_; }
    /// Why a blob that was there was not used: weights_cache_rejected, io_failed.
    const std::optional<Error>& rejection() const { return rejection_; }

  private:
    Result<void> read_index();
    Result<void> read_matrix(std::span<uint8_t> matrix, tensor::ThreadPool& pool);
    Bytes encode_index(tensor::ThreadPool& pool) const;

    BlobStore& store_;
    Digest name_;  // hash of identity and versions
    crypto::Secret<32> key_;
    std::unique_ptr<ByteSource> blob_;  // absent: everything is packed
    std::vector<Digest> pieces_;
    size_t next_piece_ = 0;
    uint64_t next_offset_ = 0;
    std::vector<std::span<uint8_t>> matrices_;
    std::optional<Error> rejection_;
    bool used_ = false;
};

}  // namespace teetee::model
