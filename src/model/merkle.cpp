// SPDX-License-Identifier: Apache-2.0
#include "model/merkle.hpp"

#include <vector>

#include "base/assert.hpp"
#include "crypto/hash.hpp"

namespace teetee::model {
namespace {

Digest joined(const Digest& left, const Digest& right) {
    ByteWriter node;
    node.u8(1);
    node.bytes(left);
    node.bytes(right);
    return crypto::sha256(node.view());
}

}  // namespace

Digest merkle_leaf(std::string_view tag, std::initializer_list<ByteView> fields) {
    ByteWriter leaf;
    leaf.u8(0);
    leaf.length_prefixed(as_bytes(tag));
    for (const ByteView field : fields) leaf.length_prefixed(field);
    return crypto::sha256(leaf.view());
}

Digest merkle_root(std::span<const Digest> leaves) {
    TT_ASSERT(!leaves.empty());
    std::vector<Digest> row(leaves.begin(), leaves.end());
    while (row.size() > 1) {
        size_t above = 0;
        for (size_t i = 0; i + 1 < row.size(); i += 2) row[above++] = joined(row[i], row[i + 1]);
        if (row.size() % 2 == 1) row[above++] = row.back();
        row.resize(above);
    }
    return row[0];
}

}  // namespace teetee::model
