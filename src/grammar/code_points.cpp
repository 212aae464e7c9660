// SPDX-License-Identifier: Apache-2.0
#include "grammar/code_points.hpp"

#include <algorithm>

namespace teetee::grammar {
namespace {

constexpr char32_t before_surrogates = 0xd7ff;
constexpr char32_t after_surrogates = 0xe000;

/// Splits until first and last differ by whole blocks of continuation bytes (the method of RE2's
/// UTF-8 automata).
void add_blocks(CodePointRange range, std::vector<Utf8Block>& out) {
    for (const char32_t length_end : {U'\x7f', U'\u07ff', U'\uffff'}) {
        if (range.first <= length_end && range.last > length_end) {
            add_blocks({range.first, length_end}, out);
            add_blocks({length_end + 1, range.last}, out);
            return;
        }
    }
    const std::string first = to_utf8(range.first);
    for (size_t i = 1; i < first.size(); ++i) {
        const char32_t low = (char32_t{1} << (6 * i)) - 1;
        if ((range.first & ~low) == (range.last & ~low)) continue;
        char32_t cut = 0;
        if ((range.first & low) != 0) {
            cut = range.first | low;
        } else if ((range.last & low) != low) {
            cut = (range.last & ~low) - 1;
        } else {
            continue;
        }
        add_blocks({range.first, cut}, out);
        add_blocks({cut + 1, range.last}, out);
        return;
    }
    const std::string last = to_utf8(range.last);
    Utf8Block block{.length = first.size()};
    for (size_t i = 0; i < first.size(); ++i) {
        block.bytes[i] = {static_cast<uint8_t>(first[i]), static_cast<uint8_t>(last[i])};
    }
    out.push_back(block);
}

}  // namespace

bool is_scalar(char32_t code_point) {
    return code_point <= code_point_max &&
           (code_point <= before_surrogates || code_point >= after_surrogates);
}

std::string to_utf8(char32_t c) {
    const auto tail = [&](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3f)); };
    if (c < 0x80) return {static_cast<char>(c)};
    if (c < 0x800) return {static_cast<char>(0xc0 | c >> 6), tail(0)};
    if (c < 0x10000) return {static_cast<char>(0xe0 | c >> 12), tail(6), tail(0)};
    return {static_cast<char>(0xf0 | c >> 18), tail(12), tail(6), tail(0)};
}

char32_t take_code_point(std::string_view& text) {
    const auto lead = static_cast<uint8_t>(text[0]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char32_t c = length == 1 ? lead : lead & (0x7f >> length);
    for (size_t i = 1; i < length; ++i) c = c << 6 | (static_cast<uint8_t>(text[i]) & 0x3f);
    text.remove_prefix(length);
    return c;
}

CodePointSet::CodePointSet(std::initializer_list<CodePointRange> ranges) : ranges_(ranges) {
    normalise();
}

CodePointSet::CodePointSet(std::vector<CodePointRange> ranges) : ranges_(std::move(ranges)) {
    normalise();
}

CodePointSet CodePointSet::inverted() const {
    CodePointSet out;
    char32_t next = 0;
    for (const CodePointRange& range : ranges_) {
        if (range.first > next) out.ranges_.push_back({next, range.first - 1});
        next = range.last + 1;
    }
    if (next <= code_point_max) out.ranges_.push_back({next, code_point_max});
    out.normalise();
    return out;
}

CodePointSet CodePointSet::intersected(const CodePointSet& other) const {
    std::vector<CodePointRange> missing = inverted().ranges_;
    const CodePointSet also_missing = other.inverted();
    missing.insert(missing.end(), also_missing.ranges_.begin(), also_missing.ranges_.end());
    return CodePointSet(std::move(missing)).inverted();
}

bool CodePointSet::contains(char32_t code_point) const {
    return std::ranges::any_of(ranges_, [&](const CodePointRange& range) {
        return range.first <= code_point && code_point <= range.last;
    });
}

void CodePointSet::normalise() {
    std::ranges::sort(ranges_);
    std::vector<CodePointRange> joined;
    const auto append = [&](CodePointRange range) {
        if (range.first > range.last) return;
        if (!joined.empty() && range.first <= joined.back().last + 1) {
            joined.back().last = std::max(joined.back().last, range.last);
        } else {
            joined.push_back(range);
        }
    };
    for (const CodePointRange& range : ranges_) {
        append({range.first, std::min(range.last, before_surrogates)});
        append({std::max(range.first, after_surrogates), std::min(range.last, code_point_max)});
    }
    ranges_ = std::move(joined);
}

std::vector<Utf8Block> utf8_blocks(const CodePointSet& set) {
    std::vector<Utf8Block> blocks;
    for (const CodePointRange& range : set.ranges()) add_blocks(range, blocks);
    return blocks;
}

}  // namespace teetee::grammar
