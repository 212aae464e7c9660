// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/request.hpp"
#include "base/result.hpp"

namespace teetee::crypto {

// Merkle trees over SHA-256, as Certificate Transparency separates leaves from nodes (RFC 9162,
// section 2.1), so that no leaf can pass for a node. All integers are little-endian.

/// SHA-256(0x00 || field(tag) || field(fields[0]) || field(fields[1]) || ..), where
/// field(x) = u32 length of x || x. The tag says what kind of leaf it is.
Digest merkle_leaf(std::string_view tag, std::initializer_list<ByteView> fields);

/// The leaves are the lowest row. Each row's neighbours (0 and 1, 2 and 3, ..) are joined to
/// SHA-256(0x01 || left || right) in the row above; a last one without neighbour moves up
/// unchanged. The root is what is left alone. There MUST be at least one leaf.
Digest merkle_root(std::span<const Digest> leaves);

/// That a leaf is one of those under a root.
struct MerkleProof {
    uint64_t index = 0;
    /// Of all leaves.
    uint64_t count = 0;
    /// Neighbours on the way up, where there is one.
    std::vector<Digest> siblings{};
    bool operator==(const MerkleProof&) const = default;
};

/// `index` MUST be one of the leaves'.
MerkleProof merkle_proof(std::span<const Digest> leaves, size_t index);

/// The root that leaf and proof lead to. Error: invalid_argument when the index is none of the
/// count's, or its way up has another number of neighbours.
Result<Digest> merkle_proof_root(const Digest& leaf, const MerkleProof& proof);

}  // namespace teetee::crypto
