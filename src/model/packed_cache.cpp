// SPDX-License-Identifier: Apache-2.0
#include "model/packed_cache.hpp"

#include <algorithm>
#include <atomic>

#include "crypto/hash.hpp"
#include "crypto/hmac.hpp"
#include "model/limits.hpp"
#include "tensor/pack.hpp"

namespace teetee::model {
namespace {

constexpr std::string_view magic = "TTPACKED";
constexpr uint32_t version = 1;
constexpr size_t piece_bytes = 1 << 20;
constexpr size_t head_bytes = 8 + 4 + 4 + sizeof(Digest) + 8;

Digest name_of(const PackedCache::Identity& identity) {
    ByteWriter out;
    out.length_prefixed(as_bytes("teetee.packed.v1"));
    out.u32(version);
    out.u32(tensor::packed_layout_version);
    out.bytes(identity.weights);
    out.u32(identity.layers.begin);
    out.u32(identity.layers.end);
    return crypto::sha256(out.view());
}

Bytes encode_head(const Digest& name, uint64_t piece_count) {
    ByteWriter out;
    out.bytes(as_bytes(magic));
    out.u32(version);
    out.u32(tensor::packed_layout_version);
    out.bytes(name);
    out.u64(piece_count);
    return out.take();
}

Error invalid(std::string detail) {
    return fail(ErrorCode::weights_cache_rejected, std::move(detail));
}

/// The pieces of a matrix, or one of them.
size_t piece_count_of(std::span<const uint8_t> matrix) {
    return (matrix.size() + piece_bytes - 1) / piece_bytes;
}

std::span<uint8_t> piece_of(std::span<uint8_t> matrix, size_t piece) {
    const size_t begin = piece * piece_bytes;
    return matrix.subspan(begin, std::min(piece_bytes, matrix.size() - begin));
}

}  // namespace

PackedCache::PackedCache(BlobStore& store, const Identity& identity, crypto::Secret<32> key)
    : store_(store), name_(name_of(identity)), key_(std::move(key)) {}

void PackedCache::open() {
    auto blob = store_.open(to_hex(name_));
    if (!blob) {
        if (blob.error().code != ErrorCode::not_found) rejection_ = std::move(blob).error();
        return;
    }
    blob_ = std::move(blob).value();
    if (auto read = read_index(); !read) {
        rejection_ = std::move(read).error();
        blob_.reset();
    }
}

Result<void> PackedCache::read_index() {
    if (blob_->size_bytes() < head_bytes + sizeof(Digest)) return invalid("is too short");
    Bytes head(head_bytes);
    TT_CHECK(blob_->read(0, head));
    ByteReader reader(ByteView(head).last(8));
    TT_TRY(const uint64_t piece_count, reader.read_u64());
    if (head != encode_head(name_, piece_count)) return invalid("is of other weights or versions");
    const uint64_t room = blob_->size_bytes() - head_bytes - sizeof(Digest);
    if (piece_count > packed_piece_count_max || piece_count > room / sizeof(Digest)) {
        return invalid("cannot have " + std::to_string(piece_count) + " pieces");
    }
    pieces_.resize(static_cast<size_t>(piece_count));
    Bytes index = std::move(head);
    index.resize(head_bytes + pieces_.size() * sizeof(Digest));
    TT_CHECK(blob_->read(head_bytes, std::span(index).subspan(head_bytes)));
    Digest mac;
    TT_CHECK(blob_->read(index.size(), mac));
    if (!crypto::verify_hmac_sha256(key_.view(), index, mac)) {
        return invalid("is not by this key, or was changed");
    }
    for (size_t i = 0; i < pieces_.size(); ++i) {
        std::copy_n(index.begin() + static_cast<std::ptrdiff_t>(head_bytes + i * sizeof(Digest)),
                    sizeof(Digest), pieces_[i].begin());
    }
    next_piece_ = 0;
    next_offset_ = index.size() + sizeof(Digest);
    return {};
}

bool PackedCache::take(std::span<uint8_t> matrix, tensor::ThreadPool& pool) {
    matrices_.push_back(matrix);
    if (!blob_) return false;
    auto read = read_matrix(matrix, pool);
    if (read) return true;
    rejection_ = std::move(read).error();
    blob_.reset();
    return false;
}

Result<void> PackedCache::read_matrix(std::span<uint8_t> matrix, tensor::ThreadPool& pool) {
    const size_t piece_count = piece_count_of(matrix);
    if (piece_count > pieces_.size() - next_piece_) return invalid("has fewer matrices");
    std::atomic<bool> is_valid = true;
    pool.run(piece_count, 1, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            const auto piece = piece_of(matrix, i);
            const bool read = blob_->read(next_offset_ + i * piece_bytes, piece).has_value();
            if (!read || crypto::sha256(piece) != pieces_[next_piece_ + i]) is_valid = false;
        }
    });
    if (!is_valid) {
        return invalid("was changed at bytes " + std::to_string(next_offset_) + " to " +
                       std::to_string(next_offset_ + matrix.size()));
    }
    next_piece_ += piece_count;
    next_offset_ += matrix.size();
    return {};
}

Bytes PackedCache::encode_index(tensor::ThreadPool& pool) const {
    std::vector<std::span<uint8_t>> pieces;
    for (const auto matrix : matrices_) {
        for (size_t i = 0; i < piece_count_of(matrix); ++i) pieces.push_back(piece_of(matrix, i));
    }
    std::vector<Digest> digests(pieces.size());
    pool.run(pieces.size(), 1, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) digests[i] = crypto::sha256(pieces[i]);
    });
    Bytes index = encode_head(name_, digests.size());
    for (const Digest& digest : digests) index.insert(index.end(), digest.begin(), digest.end());
    const Digest mac = crypto::hmac_sha256(key_.view(), index);
    index.insert(index.end(), mac.begin(), mac.end());
    return index;
}

Result<void> PackedCache::keep(tensor::ThreadPool& pool) {
    used_ = blob_ && next_piece_ == pieces_.size() && next_offset_ == blob_->size_bytes();
    if (blob_ && !used_) rejection_ = invalid("has more matrices");
    blob_.reset();
    if (used_) return {};
    const Bytes index = encode_index(pool);
    uint64_t bytes = index.size();
    for (const auto matrix : matrices_) bytes += matrix.size();
    return store_.write(to_hex(name_), bytes, [&](const BlobStore::Sink& sink) -> Result<void> {
        TT_CHECK(sink(index));
        for (const auto matrix : matrices_) TT_CHECK(sink(matrix));
        return {};
    });
}

}  // namespace teetee::model
