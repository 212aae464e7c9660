// SPDX-License-Identifier: Apache-2.0
#include "attest/der.hpp"

#include <gtest/gtest.h>

namespace teetee::attest {
namespace {

Result<ByteView> read_octet_string(const Bytes& der) {
    DerReader reader(der);
    return reader.read(DerTag::octet_string);
}

TEST(der, round_trip_of_every_length_form) {
    for (const size_t size : {0u, 1u, 127u, 128u, 255u, 256u, 65535u}) {
        const Bytes contents(size, 0x42);
        const Bytes der = der_encode(DerTag::octet_string, {contents});
        const auto read = read_octet_string(der);
        ASSERT_TRUE(read) << size;
        EXPECT_EQ(Bytes(read->begin(), read->end()), contents);
    }
}

TEST(der, rejects_foreign_encodings) {
    for (const char* hex : {"", "04", "0401", "048101ff", "04820001ff", "0480ff0000", "0484000000",
                            "04850000000001ff", "1f0401", "0501ff", "0482"}) {
        EXPECT_EQ(read_octet_string(from_hex(hex).value()).error().code,
                  ErrorCode::certificate_malformed)
            << hex;
    }
}

TEST(der, integers_are_minimal_and_not_negative) {
    const auto read = [](const char* hex) {
        const Bytes der = from_hex(hex).value();
        return DerReader(der).read_integer(0xffff);
    };
    EXPECT_EQ(read("020100").value(), 0);
    EXPECT_EQ(read("02017f").value(), 127);
    EXPECT_EQ(read("02020080").value(), 128);
    EXPECT_EQ(read("020300ffff").value(), 65535);
    for (const char* hex :
         {"0200", "020180", "0202007f", "0202ffff", "0203010000", "020401000000", "020400000001"}) {
        EXPECT_FALSE(read(hex)) << hex;
    }
}

}  // namespace
}  // namespace teetee::attest
