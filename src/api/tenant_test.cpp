// SPDX-License-Identifier: Apache-2.0
#include "api/tenant.hpp"

#include <gtest/gtest.h>

namespace teetee::api {
namespace {

std::optional<Digest> tenant(std::string_view authorization) {
    return tenant_of({{"authorization", std::string(authorization)}});
}

TEST(tenant, is_a_hash_of_the_bearer_token) {
    const auto alice = tenant("Bearer alice-1234");
    ASSERT_TRUE(alice);
    EXPECT_EQ(tenant("bearer alice-1234"), alice) << "the scheme's case does not matter";
    EXPECT_NE(tenant("Bearer alice-1235"), alice);
    EXPECT_NE(tenant("Bearer Alice-1234"), alice);
    EXPECT_EQ(tenant_of({{"authorization", "Bearer alice-1234"}, {"cookie", "x"}}), alice);
    EXPECT_EQ(to_hex(*alice), "b0b3611906451545c6f99a8fb0635fba28362a2b3af3d5711cc91553b5195ace");
}

TEST(tenant, nobody_is_one_without_a_token) {
    EXPECT_FALSE(tenant_of({}));
    for (const char* header :
         {"", "Bearer", "Bearer ", "Basic YWxpY2U6c2VjcmV0", "alice-1234", "Bearer  alice-1234",
          "Bearer alice 1234", "Bearer alice-1234, Bearer bob-12345", "Bearer alice-1234\t",
          "Token alice-1234"}) {
        EXPECT_FALSE(tenant(header)) << header;
    }
}

}  // namespace
}  // namespace teetee::api
