// SPDX-License-Identifier: Apache-2.0
#include "model/piece_splitter.hpp"

#include <algorithm>

#include "model/byte_letters.hpp"
#include "model/utf8.hpp"

namespace teetee::model {
namespace {

using Kind = PieceStep::Kind;
using Behaviour = PieceStep::Behaviour;

struct Part {
    TextRange range;
    bool is_match = false;
};

/// Matches and what lies between them, in order; together they are the text. An empty match cuts.
Result<std::vector<Part>> find_parts(PatternSearch& search, std::string_view text, bool inverted) {
    std::vector<Part> parts;
    size_t at = 0;
    size_t from = 0;
    while (from < text.size()) {
        TT_TRY(const auto match, search.find(text, from));
        if (!match) break;
        if (match->begin > at) parts.push_back({{at, match->begin}, inverted});
        if (match->end > match->begin) parts.push_back({*match, !inverted});
        at = match->end;
        from = at;
        if (match->begin == match->end && at < text.size()) from += utf8_character_bytes(text, at);
    }
    if (at < text.size()) parts.push_back({{at, text.size()}, inverted});
    return parts;
}

/// Joins a part to the one before it where `joins` says so of the two.
template <class Joins>
std::vector<Part> join_parts(const std::vector<Part>& parts, const Joins& joins) {
    std::vector<Part> joined;
    for (size_t i = 0; i < parts.size(); ++i) {
        if (i > 0 && joins(parts, i)) {
            joined.back().range.end = parts[i].range.end;
        } else {
            joined.push_back(parts[i]);
        }
    }
    return joined;
}

std::vector<Part> rearrange(std::vector<Part> parts, Behaviour behaviour) {
    using Parts = const std::vector<Part>&;
    switch (behaviour) {
        case Behaviour::isolated:
            return parts;
        case Behaviour::removed:
            std::erase_if(parts, [](const Part& part) { return part.is_match; });
            return parts;
        case Behaviour::contiguous:
            return join_parts(parts,
                              [](Parts p, size_t i) { return p[i].is_match == p[i - 1].is_match; });
        case Behaviour::merged_with_previous:
            return join_parts(
                parts, [](Parts p, size_t i) { return p[i].is_match && !p[i - 1].is_match; });
        case Behaviour::merged_with_next:
            return join_parts(
                parts, [](Parts p, size_t i) { return p[i - 1].is_match && !p[i].is_match; });
    }
    return parts;
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
    std::string out;
    size_t begin = 0;
    for (size_t at = text.find(from); at != text.npos; at = text.find(from, begin)) {
        out.append(text.substr(begin, at - begin)).append(to);
        begin = at + from.size();
    }
    return out.append(text.substr(begin));
}

}  // namespace

Result<PieceSplitter> PieceSplitter::build(std::vector<PieceStep> steps) {
    PieceSplitter splitter;
    for (PieceStep& rule : steps) {
        Step step;
        if (rule.kind == Kind::split) {
            TT_TRY(step.pattern, Pattern::compile(rule.pattern, Pattern::Origin::foreign));
        }
        step.rule = std::move(rule);
        splitter.steps_.push_back(std::move(step));
    }
    return splitter;
}

Result<std::vector<std::string>> PieceSplitter::split(std::string text, Place place,
                                                      MatchBudget& budget) const {
    Pieces pieces;
    if (!text.empty()) pieces.push_back(std::move(text));
    for (const Step& step : steps_) {
        const PieceStep& rule = step.rule;
        if (rule.kind == Kind::split) {
            TT_TRY(pieces, cut(step, pieces, budget));
            continue;
        }
        for (size_t i = 0; i < pieces.size(); ++i) {
            std::string& piece = pieces[i];
            if (rule.kind == Kind::replace) {
                piece = replaced(piece, rule.pattern, rule.content);
            } else if (rule.kind == Kind::byte_letters) {
                piece = letters_of_bytes(piece);
            } else if (!piece.starts_with(rule.content) &&
                       (!rule.only_text_begin || (i == 0 && place == Place::text_begin))) {
                piece.insert(0, rule.content);
            }
        }
    }
    return pieces;
}

Result<std::vector<std::string>> PieceSplitter::cut(const Step& step, const Pieces& pieces,
                                                    MatchBudget& budget) {
    PatternSearch search(*step.pattern, budget);
    Pieces cut_pieces;
    for (const std::string& piece : pieces) {
        TT_TRY(auto parts, find_parts(search, piece, step.rule.inverted));
        for (const Part& part : rearrange(std::move(parts), step.rule.behaviour)) {
            cut_pieces.push_back(piece.substr(part.range.begin, part.range.end - part.range.begin));
        }
    }
    return cut_pieces;
}

}  // namespace teetee::model
