// SPDX-License-Identifier: Apache-2.0
#include "api/receipt_store.hpp"

#include <gtest/gtest.h>

// How clients are answered, tests/e2e/test_receipts.py sees over real connections.
namespace teetee::api {
namespace {

RequestId id_of(uint8_t number) {
    return {{number}};
}

TEST(receipt_store, keeps_the_newest_within_its_limits) {
    ReceiptStore store({.count_max = 3, .bytes_max = 100});
    for (uint8_t i = 0; i < 5; ++i) {
        store.expect(id_of(i));
        store.put(id_of(i), std::string(10, 'x'));
    }
    EXPECT_EQ(store.count(), 3u);
    store.expect(id_of(9));
    store.put(id_of(9), std::string(85, 'x'));
    EXPECT_EQ(store.count(), 2u);
    store.expect(id_of(10));
    store.put(id_of(10), std::string(101, 'x'));
    EXPECT_EQ(store.count(), 0u);
}

TEST(receipt_store, only_what_was_expected_comes_in_and_once) {
    ReceiptStore store;
    store.put(id_of(1), "unasked");
    EXPECT_EQ(store.count(), 0u);
    store.expect(id_of(1));
    store.put(id_of(1), "first");
    store.put(id_of(1), "second");
    store.drop(id_of(1), {});
    EXPECT_EQ(store.count(), 1u);
    store.expect(id_of(2));
    store.drop(id_of(2), {});
    EXPECT_EQ(store.count(), 1u);
}

TEST(receipt_store, names_a_path_by_the_request) {
    EXPECT_EQ(ReceiptStore::path_of(id_of(0xab)), "/v1/receipts/ab000000000000000000000000000000");
}

}  // namespace
}  // namespace teetee::api
