// SPDX-License-Identifier: Apache-2.0
#include "model/unigram_tokenizer.hpp"

#include <algorithm>

#include "model/bigram_merge.hpp"
#include "model/tokenizer_limits.hpp"
#include "model/utf8.hpp"

namespace teetee::model {
namespace {

constexpr double unknown_penalty = 10.0;  // SentencePiece's kUnkPenalty

bool is_scored(TokenType type) {
    return type == TokenType::normal || type == TokenType::user_defined;
}

}  // namespace

UnigramTokenizer::UnigramTokenizer(const Vocabulary& vocabulary)
    : vocabulary_(vocabulary), bytes_(vocabulary) {
    double least = 0.0;
    for (TokenId id = 0; id < vocabulary.tokens.size(); ++id) {
        const Token& token = vocabulary.tokens[id];
        if (token.text.empty() || !is_scored(token.type)) continue;
        entries_.push_back({token.text, id});
        least = std::min(least, static_cast<double>(token.score));
    }
    unknown_score_ = least - unknown_penalty;
    // Of equal texts the last id stays, as everywhere.
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
        return a.text != b.text ? a.text < b.text : a.id > b.id;
    });
    const auto same_text = [](const Entry& a, const Entry& b) { return a.text == b.text; };
    entries_.erase(std::unique(entries_.begin(), entries_.end(), same_text), entries_.end());
}

Result<UnigramTokenizer> UnigramTokenizer::build(const Vocabulary& vocabulary) {
    UnigramTokenizer tokenizer(vocabulary);
    for (const Entry& entry : tokenizer.entries_) {
        if (entry.text.size() <= unigram_text_bytes_max) continue;
        return fail(ErrorCode::vocabulary_invalid,
                    "tokenizer: have a token of " + std::to_string(entry.text.size()) +
                        " bytes, need at most " + std::to_string(unigram_text_bytes_max) +
                        " in a unigram model");
    }
    return tokenizer;
}

/// Lets every token that the piece goes on with at `begin` reach its end.
void UnigramTokenizer::extend(std::string_view piece, size_t begin,
                              std::vector<Node>& nodes) const {
    const size_t character_end = begin + utf8_character_bytes(piece, begin);
    const auto reach = [&](size_t end, double score, TokenId id) {
        Node& node = nodes[end];
        const double total = nodes[begin].score + score;
        if (!node.reached || total > node.score) node = {total, begin, id, true};
    };
    bool covers_character = false;
    const Entry* low = entries_.data();
    const Entry* high = low + entries_.size();
    // [low, high) are the entries that begin with piece[begin, end); one that is no longer than
    // that sorts first.
    for (size_t end = begin; low != high && end < piece.size();) {
        const auto byte = static_cast<uint8_t>(piece[end]);
        const size_t depth = end - begin;
        low = std::partition_point(low, high, [&](const Entry& entry) {
            return static_cast<uint8_t>(entry.text[depth]) < byte;
        });
        high = std::partition_point(low, high, [&](const Entry& entry) {
            return static_cast<uint8_t>(entry.text[depth]) == byte;
        });
        ++end;
        if (low == high || low->text.size() != end - begin) continue;
        covers_character = covers_character || end == character_end;
        reach(end, static_cast<double>(vocabulary_.tokens[low->id].score), low->id);
        ++low;
    }
    if (!covers_character) reach(character_end, unknown_score_, no_token);
}

Result<void> UnigramTokenizer::encode(std::string_view piece, std::vector<TokenId>& ids) const {
    std::vector<Node> nodes(piece.size() + 1);
    nodes[0].reached = true;
    for (size_t begin = 0; begin < piece.size(); begin += utf8_character_bytes(piece, begin))
        extend(piece, begin, nodes);

    struct Span {
        size_t begin;
        size_t end;
        TokenId id;
    };
    std::vector<Span> spans;  // from the last to the first
    for (size_t end = piece.size(); end > 0; end = nodes[end].begin) {
        const Node& node = nodes[end];
        if (node.id == no_token && !spans.empty() && spans.back().id == no_token) {
            spans.back().begin = node.begin;
        } else {
            spans.push_back({node.begin, end, node.id});
        }
    }
    for (auto span = spans.rbegin(); span != spans.rend(); ++span) {
        if (span->id != no_token) {
            ids.push_back(span->id);
        } else if (!bytes_.append(piece.substr(span->begin, span->end - span->begin), ids)) {
            if (!vocabulary_.unknown) {
                return fail(ErrorCode::vocabulary_invalid,
                            "tokenizer: a character has no token, need byte tokens or an unknown "
                            "token");
            }
            ids.push_back(*vocabulary_.unknown);
        }
    }
    return {};
}

}  // namespace teetee::model
