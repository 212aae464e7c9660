// SPDX-License-Identifier: Apache-2.0
#include "crypto/merkle.hpp"

#include <string>
#include <vector>

#include "base/assert.hpp"
#include "crypto/hash.hpp"

namespace teetee::crypto {
namespace {

Digest joined(const Digest& left, const Digest& right) {
    ByteWriter node;
    node.u8(1);
    node.bytes(left);
    node.bytes(right);
    return sha256(node.view());
}

/// Puts the row above in the row's place.
void raise(std::vector<Digest>& row) {
    size_t above = 0;
    for (size_t i = 0; i + 1 < row.size(); i += 2) row[above++] = joined(row[i], row[i + 1]);
    if (row.size() % 2 == 1) row[above++] = row.back();
    row.resize(above);
}

}  // namespace

Digest merkle_leaf(std::string_view tag, std::initializer_list<ByteView> fields) {
    ByteWriter leaf;
    leaf.u8(0);
    leaf.length_prefixed(as_bytes(tag));
    for (const ByteView field : fields) leaf.length_prefixed(field);
    return sha256(leaf.view());
}

Digest merkle_root(std::span<const Digest> leaves) {
    TT_ASSERT(!leaves.empty());
    std::vector<Digest> row(leaves.begin(), leaves.end());
    while (row.size() > 1) raise(row);
    return row[0];
}

MerkleProof merkle_proof(std::span<const Digest> leaves, size_t index) {
    TT_ASSERT(index < leaves.size());
    MerkleProof proof = {.index = index, .count = leaves.size()};
    std::vector<Digest> row(leaves.begin(), leaves.end());
    for (; row.size() > 1; index /= 2) {
        if ((index ^ 1) < row.size()) proof.siblings.push_back(row[index ^ 1]);
        raise(row);
    }
    return proof;
}

Result<Digest> merkle_proof_root(const Digest& leaf, const MerkleProof& proof) {
    if (proof.index >= proof.count) {
        return fail(ErrorCode::invalid_argument,
                    "leaf " + std::to_string(proof.index) + " of " + std::to_string(proof.count));
    }
    Digest out = leaf;
    size_t used = 0;
    uint64_t index = proof.index;
    // Up to 64 rows; rounding up without overflow.
    for (uint64_t count = proof.count; count > 1; count = count / 2 + count % 2, index /= 2) {
        if ((index ^ 1) >= count) continue;
        if (used == proof.siblings.size())
            return fail(ErrorCode::invalid_argument, "the proof has too few neighbours");
        const Digest& sibling = proof.siblings[used++];
        out = index % 2 == 0 ? joined(out, sibling) : joined(sibling, out);
    }
    if (used != proof.siblings.size())
        return fail(ErrorCode::invalid_argument, "the proof has too many neighbours");
    return out;
}

}  // namespace teetee::crypto
