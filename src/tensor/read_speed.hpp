// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/world.hpp"

namespace teetee::tensor {

/// Bytes a second that `thread_count` threads read together from a gigabyte of huge pages: the
/// roof of everything that reads each weight once. The best of several passes.
double read_speed(size_t thread_count, const Clock& clock);

}  // namespace teetee::tensor
