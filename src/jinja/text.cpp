// SPDX-License-Identifier: Apache-2.0
#include "jinja/text.hpp"

#include <algorithm>

namespace teetee::jinja {
namespace {

/// The first span that ends behind `begin`.
std::vector<Span>::const_iterator first_behind(const std::vector<Span>& spans, size_t begin) {
    return std::upper_bound(spans.begin(), spans.end(), begin,
                            [](size_t at, const Span& span) { return at < span.end; });
}

void mark(std::vector<Span>& spans, Span added) {
    if (added.begin == added.end) return;
    if (!spans.empty() && spans.back().end == added.begin) {
        spans.back().end = added.end;
    } else {
        spans.push_back(added);
    }
}

}  // namespace

Text Text::all_foreign(std::string_view bytes) {
    Text text;
    text.append_foreign(bytes);
    return text;
}

void Text::append_foreign(std::string_view more) {
    mark(foreign, {bytes.size(), bytes.size() + more.size()});
    bytes += more;
}

void Text::append(const Text& from, size_t begin, size_t end) {
    end = std::min(end, from.bytes.size());
    const size_t at = bytes.size();
    bytes.append(from.bytes, begin, end - begin);
    for (auto span = first_behind(from.foreign, begin);
         span != from.foreign.end() && span->begin < end; ++span) {
        mark(foreign,
             {at + std::max(span->begin, begin) - begin, at + std::min(span->end, end) - begin});
    }
}

void Text::append_derived(std::string_view more, const Text& from, size_t begin, size_t end) {
    if (from.touches_foreign(begin, end)) {
        append_foreign(more);
    } else {
        append_trusted(more);
    }
}

bool Text::touches_foreign(size_t begin, size_t end) const {
    const auto span = first_behind(foreign, begin);
    return span != foreign.end() && span->begin < end;
}

}  // namespace teetee::jinja
