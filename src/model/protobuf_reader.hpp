// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace teetee::model {

/// One field of a protobuf message in wire format; either a number or bytes.
struct ProtobufField {
    uint32_t number = 0;
    uint64_t value = 0;  // varint, fixed 64, fixed 32
    ByteView bytes;      // length-delimited
    enum class Kind { varint, fixed64, bytes, fixed32 } kind{};
};

/// Reads fields in order. Error of each call: vocabulary_invalid naming the byte.
class ProtobufReader {
  public:
    explicit ProtobufReader(ByteView message) : reader_(message) {}

    bool at_end() const { return reader_.at_end(); }
    Result<ProtobufField> next();

  private:
    Result<uint64_t> varint();
    Error malformed() const;

    ByteReader reader_;
};

}  // namespace teetee::model
