// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/bytes.hpp"
#include "chain/u256.hpp"

namespace teetee::chain {

/// Appends items of the Recursive Length Prefix encoding (Ethereum yellow paper, appendix B).
class RlpWriter {
  public:
    RlpWriter& bytes(ByteView value);
    /// Big-endian without leading zeros; zero is the empty string.
    RlpWriter& number(const U256& value);
    /// A list of the items that were written to `items`.
    RlpWriter& list(const RlpWriter& items);

    /// The items side by side, without a list around them.
    const Bytes& items() const { return bytes_; }
    /// The items as one list.
    Bytes as_list() const;

  private:
    Bytes bytes_;
};

/// Reads RLP items one after the other out of bytes that it looks into. Strict: whatever has
/// another encoding than that of RlpWriter is refused, so equal values have equal bytes. The caller
/// knows the shape, so nesting goes no deeper than it asks and nothing is copied. The error of each
/// call is rlp_malformed; a failed read leaves the position where it was.
class RlpReader {
  public:
    explicit RlpReader(ByteView bytes) : bytes_(bytes) {}

    bool at_end() const { return bytes_.empty(); }
    /// Whether a list comes next; a string otherwise, or the end.
    bool at_list() const { return !bytes_.empty() && bytes_[0] >= 0xc0; }

    Result<ByteView> bytes();
    /// The items inside of the list that comes next.
    Result<RlpReader> list();
    /// No leading zeros, up to 32 bytes.
    Result<U256> number();
    /// As number, up to 8 bytes.
    Result<uint64_t> number_u64();
    template <size_t N>
    Result<ByteArray<N>> array() {
        RlpReader ahead = *this;
        TT_TRY(const ByteView view, ahead.bytes());
        TT_CHECK(ensure_size(view, N));
        *this = ahead;
        ByteArray<N> out;
        for (size_t i = 0; i < N; ++i) out[i] = view[i];
        return out;
    }
    /// Error unless everything was read.
    Result<void> ensure_end() const;

  private:
    struct Item {
        bool is_list = false;
        ByteView payload;
        size_t used_bytes = 0;
    };
    Result<Item> next() const;
    Result<size_t> long_length(size_t length_bytes) const;
    static Result<void> ensure_size(ByteView have, size_t need);

    ByteView bytes_;
};

}  // namespace teetee::chain
