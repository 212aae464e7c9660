// SPDX-License-Identifier: Apache-2.0
#include "crypto/merkle.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "crypto/hash.hpp"

namespace teetee::crypto {
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
    return sha256(bytes);
}

TEST(merkle, hashes_a_leaf_with_its_lengths) {
    const Bytes bytes = {0, 1, 0, 0, 0, 't', 2, 0, 0, 0, 'a', 'b', 0, 0, 0, 0};
    EXPECT_EQ(merkle_leaf("t", {as_bytes("ab"), {}}), sha256(bytes));
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

TEST(merkle, proofs_lead_to_the_root_and_nothing_else_does) {
    std::vector<Digest> leaves;
    for (uint8_t count = 1; count < 20; ++count) {
        leaves.push_back(filled(count));
        const Digest root = merkle_root(leaves);
        for (size_t i = 0; i < leaves.size(); ++i) {
            const MerkleProof proof = merkle_proof(leaves, i);
            EXPECT_EQ(merkle_proof_root(leaves[i], proof).value(), root);
            EXPECT_NE(merkle_proof_root(filled(99), proof).value(), root);
            MerkleProof other = proof;
            other.siblings.push_back(filled(1));
            EXPECT_FALSE(merkle_proof_root(leaves[i], other));
            if (proof.siblings.empty()) continue;
            other = proof;
            other.siblings.pop_back();
            EXPECT_FALSE(merkle_proof_root(leaves[i], other));
            other = proof;
            other.siblings[0][5] ^= 1;
            EXPECT_NE(merkle_proof_root(leaves[i], other).value(), root);
            other = proof;
            other.index = other.count;
            EXPECT_FALSE(merkle_proof_root(leaves[i], other));
        }
    }
    EXPECT_FALSE(merkle_proof_root(filled(1), {.index = 0, .count = UINT64_MAX}));
}

}  // namespace
}  // namespace teetee::crypto
