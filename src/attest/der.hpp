// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>

#include "base/bytes.hpp"

namespace teetee::attest {

/// The ASN.1 tags in use (ITU-T X.690): universal ones, and two context-specific ones of X.509.
enum class DerTag : uint8_t {
    boolean = 0x01,
    integer = 0x02,
    bit_string = 0x03,
    octet_string = 0x04,
    object_identifier = 0x06,
    utf8_string = 0x0c,
    utc_time = 0x17,
    generalized_time = 0x18,
    sequence = 0x30,
    set = 0x31,
    context_0 = 0xa0,
    context_3 = 0xa3,
};

/// Walks the elements of a DER encoding in order: definite, minimal lengths only, as DER demands.
/// Error of each: certificate_malformed, with the tag or bytes there are and that are needed.
class DerReader {
  public:
    explicit DerReader(ByteView der) : der_(der) {}

    bool at_end() const { return der_.empty(); }
    /// The contents of the next element, which must have this tag.
    Result<ByteView> read(DerTag tag);
    /// The next element must be an OCTET STRING of exactly N bytes.
    template <size_t N>
    Result<ByteArray<N>> read_octets() {
        TT_TRY(const ByteView contents, read(DerTag::octet_string));
        if (contents.size() != N) {
            return fail(ErrorCode::certificate_malformed, "OCTET STRING: have " +
                                                              std::to_string(contents.size()) +
                                                              " bytes, need " + std::to_string(N));
        }
        ByteArray<N> out;
        for (size_t i = 0; i < N; ++i) out[i] = contents[i];
        return out;
    }
    /// The next element must be an INTEGER in [0, value_max].
    Result<uint16_t> read_integer(uint16_t value_max);
    /// Steps over the next element, whatever it is.
    Result<void> skip();

  private:
    Result<ByteView> read_any(uint8_t& tag);

    ByteView der_;
};

/// One element: tag, length, contents (the parts in order, less than 64 KiB).
Bytes der_encode(DerTag tag, std::initializer_list<ByteView> parts);

}  // namespace teetee::attest
