// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "model/weights.hpp"

namespace teetee::cli {

/// A progress bar on stderr, drawn only where stderr is a terminal, and not for scripts (--json);
/// erased when done.
void silence_progress();
model::Progress progress_bar(std::string title);

}  // namespace teetee::cli
