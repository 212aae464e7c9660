// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace teetee::grammar {

inline constexpr char32_t code_point_max = 0x10ffff;

/// Neither a surrogate nor beyond Unicode.
bool is_scalar(char32_t code_point);

/// `code_point` MUST be a scalar.
std::string to_utf8(char32_t code_point);

/// Takes the first character off `text`, which MUST be well-formed UTF-8 and not empty.
char32_t take_code_point(std::string_view& text);

struct CodePointRange {
    char32_t first = 0;
    char32_t last = 0;
    auto operator<=>(const CodePointRange&) const = default;
};

/// A set of Unicode scalar values.
class CodePointSet {
  public:
    CodePointSet() = default;
    CodePointSet(std::initializer_list<CodePointRange> ranges);
    /// In any order; they may overlap.
    explicit CodePointSet(std::vector<CodePointRange> ranges);

    static CodePointSet all() { return CodePointSet().inverted(); }

    CodePointSet inverted() const;
    CodePointSet intersected(const CodePointSet& other) const;

    bool contains(char32_t code_point) const;
    bool empty() const { return ranges_.empty(); }
    /// Ascending, apart from each other, without surrogates.
    const std::vector<CodePointRange>& ranges() const { return ranges_; }
    auto operator<=>(const CodePointSet&) const = default;

  private:
    void normalise();

    std::vector<CodePointRange> ranges_;
};

/// UTF-8 texts of one length whose bytes each lie in a range of their own.
struct Utf8Block {
    struct ByteRange {
        uint8_t first = 0;
        uint8_t last = 0;
    };
    std::array<ByteRange, 4> bytes{};
    size_t length = 0;
};

/// The blocks that together are the UTF-8 of the set, apart from each other.
std::vector<Utf8Block> utf8_blocks(const CodePointSet& set);

}  // namespace teetee::grammar
