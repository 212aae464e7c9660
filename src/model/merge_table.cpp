// SPDX-License-Identifier: Apache-2.0
#include "model/merge_table.hpp"

#include <string>

namespace teetee::model {
namespace {

uint64_t pair_key(TokenId left, TokenId right) {
    return static_cast<uint64_t>(left) << 32 | right;
}

}  // namespace

Result<MergeTable> MergeTable::build(const Vocabulary& vocabulary, const TokenIndex& index) {
    MergeTable table;
    table.merges_.reserve(vocabulary.merges.size());
    for (size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
        const std::string_view merge = vocabulary.merges[rank];
        const size_t space = merge.find(' ');
        std::string joined(merge);
        joined.erase(space, 1);
        const std::string_view left_text = merge.substr(0, space);
        const std::string_view right_text = merge.substr(space + 1);
        if (!index.contains(left_text) || !index.contains(right_text) || !index.contains(joined)) {
            return fail(ErrorCode::vocabulary_invalid,
                        "tokenizer.ggml.merges[" + std::to_string(rank) +
                            "]: have a text that is no token, need left, right and both joined");
        }
        const auto left = index.find(left_text);
        const auto right = index.find(right_text);
        const auto result = index.find(joined);
        if (!left || !right || !result) continue;
        // The first of two equal merges is the better one and stays.
        table.merges_.try_emplace(pair_key(*left, *right),
                                  Merge{static_cast<double>(rank), *result});
    }
    return table;
}

std::optional<Merge> MergeTable::find(const Symbol& left, const Symbol& right) const {
    const auto found = merges_.find(pair_key(left.id, right.id));
    if (found == merges_.end()) return std::nullopt;
    return found->second;
}

}  // namespace teetee::model
