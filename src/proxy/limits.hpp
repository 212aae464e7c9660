// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace teetee::proxy {

/// Of a body that is passed on as it is, where it does not come as a stream.
inline constexpr size_t passed_body_bytes_max = 64u << 20;
/// Of the key that an entry is shown.
inline constexpr size_t key_bytes_max = 512;
/// Of a line of a stream that is looked at for what it says of payment.
inline constexpr size_t comment_bytes_max = 4u << 10;
/// Choices that an answer is put together of, and calls of tools in one.
inline constexpr size_t choices_max = 1024;

}  // namespace teetee::proxy
