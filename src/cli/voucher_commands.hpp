// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command.hpp"

namespace teetee::cli {

/// 'voucher header', into the group of 'voucher'.
void add_voucher_header(CLI::App& group, Session& session);

}  // namespace teetee::cli
