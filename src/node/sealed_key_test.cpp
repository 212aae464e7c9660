// SPDX-License-Identifier: Apache-2.0
#include "node/sealed_key.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "attest/test_platform.hpp"
#include "net/file.hpp"
#include "net/test_folder.hpp"

namespace teetee::node {
namespace {

TEST(sealed_key, is_the_same_after_a_restart_and_unreadable_elsewhere) {
    const net::TestFolder folder;
    const std::string path = folder.path() + "/receipt.key";
    SystemRng rng;
    attest::DevTee tee = attest::test::make_tee();
    const auto first = load_sealed_key(path, receipt_key_purpose, tee, rng);
    ASSERT_TRUE(first) << first.error().message();
    attest::DevTee same = attest::test::make_tee();
    EXPECT_EQ(load_sealed_key(path, receipt_key_purpose, same, rng)->address(), first->address());
    // One bit, anywhere.
    Bytes file = net::read_file(path, 1000).value();
    file[20] ^= 1;
    ASSERT_TRUE(net::write_file_atomic(path, file));
    EXPECT_EQ(load_sealed_key(path, receipt_key_purpose, tee, rng).error().code,
              ErrorCode::decrypt_failed);
    file.pop_back();
    ASSERT_TRUE(net::write_file_atomic(path, file));
    EXPECT_EQ(load_sealed_key(path, receipt_key_purpose, tee, rng).error().code,
              ErrorCode::decrypt_failed);
    EXPECT_EQ(load_sealed_key(path, gas_key_purpose, tee, rng).error().code,
              ErrorCode::decrypt_failed);
    std::filesystem::remove(path);
    EXPECT_NE(load_sealed_key(path, receipt_key_purpose, tee, rng)->address(), first->address());
}

}  // namespace
}  // namespace teetee::node
