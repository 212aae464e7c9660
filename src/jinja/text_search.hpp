// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "jinja/runtime.hpp"

namespace teetee::jinja {

struct Search {
    std::string_view part;  // an empty one is before every character and at the end
    size_t count_max = SIZE_MAX;
    bool from_right = false;
};

/// Where `part` begins in the text, in the order found; the places do not overlap. Takes and pays
/// for O(text + part), whatever the two are. Error: limit_exceeded.
Result<std::vector<size_t>> places_in(Runtime& runtime, std::string_view text, Search search);

}  // namespace teetee::jinja
