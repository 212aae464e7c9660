// SPDX-License-Identifier: Apache-2.0
#include "model/protobuf_reader.hpp"

namespace teetee::model {

Error ProtobufReader::malformed() const {
    return fail(
        ErrorCode::vocabulary_invalid,
        "protobuf: no field at byte " + std::to_string(reader_.position()) + " of its message");
}

Result<uint64_t> ProtobufReader::varint() {
    uint64_t value = 0;
    for (uint32_t shift = 0; shift < 64; shift += 7) {
        const auto byte = reader_.read_u8();
        if (!byte) return malformed();
        value |= static_cast<uint64_t>(*byte & 0x7f) << shift;
        if ((*byte & 0x80) == 0) return value;
    }
    return malformed();
}

Result<ProtobufField> ProtobufReader::next() {
    using Kind = ProtobufField::Kind;
    TT_TRY(const uint64_t key, varint());
    ProtobufField field;
    field.number = static_cast<uint32_t>(key >> 3);
    if (key >> 3 == 0 || key >> 32 != 0) return malformed();
    switch (key & 7) {
        case 0: {
            field.kind = Kind::varint;
            TT_TRY(field.value, varint());
            return field;
        }
        case 1: {
            field.kind = Kind::fixed64;
            const auto value = reader_.read_u64();
            if (!value) return malformed();
            field.value = *value;
            return field;
        }
        case 2: {
            field.kind = Kind::bytes;
            TT_TRY(const uint64_t bytes, varint());
            const auto view = reader_.read_bytes(bytes);
            if (!view) return malformed();
            field.bytes = *view;
            return field;
        }
        case 5: {
            field.kind = Kind::fixed32;
            const auto value = reader_.read_u32();
            if (!value) return malformed();
            field.value = *value;
            return field;
        }
        default:
            return malformed();
    }
}

}  // namespace teetee::model
