// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/kv_cache.hpp"

namespace teetee::model {

/// How much a node gives to keys and values: one of the two, or the default for neither.
struct KvBudget {
    uint64_t bytes = 0;
    Position positions = 0;
};

/// What a budget comes to; whole pages.
struct KvPlan {
    Position positions = 0;
    uint64_t bytes = 0;
};

/// The default is room for one whole context, for 16,384 positions where that is more, and at most
/// 4 GiB. Memory is taken only as it is used. Error: config_invalid naming need and have, if not
/// even one page fits or both are given.
Result<KvPlan> plan_kv(const KvShape& shape, Position context_length, const KvBudget& budget);

/// "2GiB", "512 MiB", "1.5G", "65536": B, K, M, G and T are powers of 1024, with or without iB or B
/// behind them, in either case. Error: config_invalid.
Result<uint64_t> parse_byte_count(std::string_view text);

/// In the largest unit that leaves at least 1: "1.5 GiB".
std::string show_byte_count(uint64_t bytes);

}  // namespace teetee::model
