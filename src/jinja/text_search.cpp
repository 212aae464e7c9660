// SPDX-License-Identifier: Apache-2.0
#include "jinja/text_search.hpp"

#include <algorithm>
#include <cstring>

#include "jinja/unicode.hpp"

namespace teetee::jinja {
namespace {

std::string reversed(std::string_view text) {
    return {text.rbegin(), text.rend()};
}

}  // namespace

Result<std::vector<size_t>> places_in(Runtime& runtime, std::string_view text, Search search) {
    TT_CHECK(runtime.spend_steps((text.size() + search.part.size()) / 8));
    const size_t part_bytes = search.part.size();
    std::vector<size_t> places;
    if (part_bytes == 0 && search.from_right) {
        if (search.count_max > 0) places.push_back(text.size());
        return places;
    }
    std::string turned_text, turned_part;
    if (search.from_right) {
        text = turned_text = reversed(text);
        search.part = turned_part = reversed(search.part);
    }
    for (size_t at = 0; at <= text.size() && places.size() < search.count_max;) {
        // Of the C++ searches none is linear in the worst case; glibc's memmem is.
        const void* found =
            memmem(text.data() + at, text.size() - at, search.part.data(), part_bytes);
        if (found == nullptr) break;
        const auto place = static_cast<size_t>(static_cast<const char*>(found) - text.data());
        TT_CHECK(runtime.spend_memory(sizeof(size_t)));
        places.push_back(search.from_right ? text.size() - place - part_bytes : place);
        at = place + part_bytes;
        if (part_bytes == 0) at += at < text.size() ? point_bytes(text.substr(at)) : 1;
    }
    return places;
}

}  // namespace teetee::jinja
