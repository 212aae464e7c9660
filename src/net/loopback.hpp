// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace teetee::net {

/// Whether a host is this machine alone: localhost, 127.0.0.0/8 or ::1. A name that begins like an
/// address is none.
bool is_loopback(const std::string& host);

}  // namespace teetee::net
