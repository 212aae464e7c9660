// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "jinja/operations.hpp"

namespace teetee::jinja {

// The two halves of the filter table; null where there is none of the name.
Operation find_text_filter(std::string_view name);
Operation find_sequence_filter(std::string_view name);

}  // namespace teetee::jinja
