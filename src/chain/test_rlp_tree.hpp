// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "chain/rlp.hpp"

namespace teetee::chain {

/// RLP of any shape, for tests: what RlpReader finds in bytes of which nothing is known.
struct RlpTree {
    bool is_list = false;
    Bytes bytes{};
    std::vector<RlpTree> items{};
};

inline Result<RlpTree> read_rlp_tree(RlpReader& reader, size_t depth_max) {
    if (!reader.at_list()) {
        TT_TRY(const ByteView bytes, reader.bytes());
        return RlpTree{.is_list = false, .bytes = Bytes(bytes.begin(), bytes.end())};
    }
    if (depth_max == 0) return fail(ErrorCode::limit_exceeded, "RLP: nested too deep");
    TT_TRY(RlpReader items, reader.list());
    RlpTree tree{.is_list = true};
    while (!items.at_end()) {
        TT_TRY(auto item, read_rlp_tree(items, depth_max - 1));
        tree.items.push_back(std::move(item));
    }
    return tree;
}

inline Result<RlpTree> decode_rlp_tree(ByteView bytes, size_t depth_max = 64) {
    RlpReader reader(bytes);
    TT_TRY(auto tree, read_rlp_tree(reader, depth_max));
    TT_CHECK(reader.ensure_end());
    return tree;
}

inline void write_rlp_tree(RlpWriter& writer, const RlpTree& tree) {
    if (!tree.is_list) {
        writer.bytes(tree.bytes);
        return;
    }
    RlpWriter items;
    for (const RlpTree& item : tree.items) write_rlp_tree(items, item);
    writer.list(items);
}

inline Bytes encode_rlp_tree(const RlpTree& tree) {
    RlpWriter writer;
    write_rlp_tree(writer, tree);
    return writer.items();
}

}  // namespace teetee::chain
