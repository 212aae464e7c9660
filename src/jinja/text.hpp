// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace teetee::jinja {

/// Bytes [begin, end) of a text.
struct Span {
    size_t begin = 0;
    size_t end = 0;
    bool operator==(const Span&) const = default;
};

/// A string that knows which of its bytes came from outside of the template: `foreign` is sorted,
/// its spans neither touch nor are empty. Whatever is computed from foreign text is foreign.
struct Text {
    std::string bytes;
    std::vector<Span> foreign;

    static Text trusted(std::string_view bytes) { return {std::string(bytes), {}}; }
    static Text all_foreign(std::string_view bytes);

    void append_trusted(std::string_view more) { bytes += more; }
    void append_foreign(std::string_view more);
    /// Bytes [begin, end) of `from`, with their marks.
    void append(const Text& from, size_t begin = 0, size_t end = std::string::npos);
    /// `more` in place of bytes that were at [begin, end) of `from`: foreign if any of them was.
    void append_derived(std::string_view more, const Text& from, size_t begin, size_t end);
    bool touches_foreign(size_t begin, size_t end) const;
};

}  // namespace teetee::jinja
