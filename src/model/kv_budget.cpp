// SPDX-License-Identifier: Apache-2.0
#include "model/kv_budget.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace teetee::model {
namespace {

constexpr std::string_view units = "BKMGT";
constexpr Position default_positions_min = 16384;
constexpr uint64_t default_bytes_max = uint64_t{4} << 30;
constexpr Position positions_limit = Position{1} << 30;

uint64_t pages_for(Position positions) {
    return (uint64_t{positions} + tensor::page_positions - 1) / tensor::page_positions;
}

}  // namespace

Result<KvPlan> plan_kv(const KvShape& shape, Position context_length, const KvBudget& budget) {
    const uint64_t page_bytes = std::max<uint64_t>(1, kv_page_bytes(shape));
    if (budget.bytes > 0 && budget.positions > 0) {
        return fail(ErrorCode::config_invalid,
                    "KV cache: have a size in bytes and one in positions, need at most one");
    }
    uint64_t pages = 0;
    if (budget.positions > 0) {
        pages = pages_for(budget.positions);
    } else if (budget.bytes > 0) {
        pages = budget.bytes / page_bytes;
    } else {
        const uint64_t affordable = std::max<uint64_t>(1, default_bytes_max / page_bytes);
        pages = std::min(pages_for(std::max(context_length, default_positions_min)), affordable);
    }
    if (pages == 0) {
        return fail(ErrorCode::config_invalid,
                    "KV cache: have " + show_byte_count(budget.bytes) + ", need at least " +
                        show_byte_count(page_bytes) + " for one page of " +
                        std::to_string(tensor::page_positions) + " positions");
    }
    pages = std::min<uint64_t>(pages, positions_limit / tensor::page_positions);
    return KvPlan{static_cast<Position>(pages * tensor::page_positions), pages * page_bytes};
}

Result<uint64_t> parse_byte_count(std::string_view text) {
    const Error wrong = fail(ErrorCode::config_invalid, "size: have " + quote_foreign(text) +
                                                            ", need a number and a unit: 2GiB");
    double number = 0;
    const auto [end, failed] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (failed != std::errc() || !(number >= 0)) return wrong;
    std::string unit(text.substr(static_cast<size_t>(end - text.data())));
    unit.erase(0, unit.find_first_not_of(' '));
    for (char& c : unit) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    size_t power = 0;
    if (!unit.empty()) {
        power = units.find(unit[0]);
        const std::string_view rest = std::string_view(unit).substr(1);
        const bool is_unit = rest.empty() || (power > 0 && (rest == "B" || rest == "IB"));
        if (power == std::string_view::npos || !is_unit) return wrong;
    }
    const double bytes = std::ldexp(number, static_cast<int>(10 * power));
    if (bytes >= 0x1p60 || bytes < 1) return wrong;
    return static_cast<uint64_t>(bytes);
}

std::string show_byte_count(uint64_t bytes) {
    auto value = static_cast<double>(bytes);
    size_t power = 0;
    while (value >= 1024 && power + 1 < units.size()) {
        value /= 1024;
        ++power;
    }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.4g ", value);
    return text.data() + (power == 0 ? std::string("B") : std::string(1, units[power]) + "iB");
}

}  // namespace teetee::model
