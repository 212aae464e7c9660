// SPDX-License-Identifier: Apache-2.0
#include "model/merkle.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "crypto/hash.hpp"

namespace teetee::model {
namespace {

Digest filled(uint8_t value) {
    Digest digest;
    digest.fill(value);
    return digest;
}

Digest node(const Digest& left, const Digest& right) {
    Bytes bytes = {1};
    bytes.insert(bytes.end(), left.begin(), left.end());
    bytes.insert(bytes.end(), right.begin(), right.end());
    return crypto::sha256(bytes);
}

TEST(merkle, hashes_a_leaf_with_its_lengths) {
    const Bytes bytes = {0, 1, 0, 0, 0, 't', 2, 0, 0, 0, 'a', 'b', 0, 0, 0, 0};
    EXPECT_EQ(merkle_leaf("t", {as_bytes("ab"), {}}), crypto::sha256(bytes));
    EXPECT_NE(merkle_leaf("t", {as_bytes("ab"), as_bytes("c")}),
              merkle_leaf("t", {as_bytes("a"), as_bytes("bc")}));
}

TEST(merkle, joins_neighbours_and_promotes_the_odd_one) {
    std::vector<Digest> leaves = {filled(1)};
    EXPECT_EQ(merkle_root(leaves), filled(1));
    leaves.push_back(filled(2));
    const Digest pair = node(filled(1), filled(2));
    EXPECT_EQ(merkle_root(leaves), pair);
    leaves.push_back(filled(3));
    EXPECT_EQ(merkle_root(leaves), node(pair, filled(3)));
    leaves.push_back(filled(4));
    leaves.push_back(filled(5));
    EXPECT_EQ(merkle_root(leaves), node(node(pair, node(filled(3), filled(4))), filled(5)));
}

}  // namespace
}  // namespace teetee::model
