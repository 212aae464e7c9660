// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace teetee::sim {
namespace {

constexpr uint32_t weight_max = 1000;

struct Key {
    std::string_view name;
    std::function<uint32_t&(Scenario&)> field;
    uint32_t min = 0;
    uint32_t max = weight_max;
};

const std::vector<Key>& keys() {
    using S = Scenario;
    static const std::vector<Key> all = {
        {"slots", [](S& s) -> uint32_t& { return s.slots; }, 2, 8},
        {"replicas", [](S& s) -> uint32_t& { return s.replicas; }, 1, 8},
        {"entries", [](S& s) -> uint32_t& { return s.entries; }, 1, 8},
        {"clients", [](S& s) -> uint32_t& { return s.clients; }, 1, 64},
        {"requests", [](S& s) -> uint32_t& { return s.requests; }, 1, 10'000},
        {"tenants", [](S& s) -> uint32_t& { return s.tenants; }, 1, 8},
        {"deadlines", [](S& s) -> uint32_t& { return s.deadlines; }, 0, 100},
        {"prompt_tokens_max", [](S& s) -> uint32_t& { return s.prompt_tokens_max; }, 1, 256},
        {"answer_tokens_max", [](S& s) -> uint32_t& { return s.answer_tokens_max; }, 1, 256},
        {"seconds", [](S& s) -> uint32_t& { return s.seconds; }, 30, 3600},
        {"sequences", [](S& s) -> uint32_t& { return s.sequences; }, 1, 64},
        {"positions", [](S& s) -> uint32_t& { return s.positions; }, 512, 1u << 20},
        {"delay_max_ms", [](S& s) -> uint32_t& { return s.delay_max_ms; }, 1, 200},
        {"fault_interval_ms", [](S& s) -> uint32_t& { return s.fault_interval_ms; }, 1, 60'000},
        {"fault_duration_max_ms", [](S& s) -> uint32_t& { return s.fault_duration_max_ms; }, 1,
         60'000},
        {"swarm", [](S& s) -> uint32_t& { return s.swarm; }, 0, 1},
        {"uneven", [](S& s) -> uint32_t& { return s.uneven; }, 0, 1},
        {"draft_model", [](S& s) -> uint32_t& { return s.draft_model; }, 0, 1},
        {"kill", [](S& s) -> uint32_t& { return s.weights.kill; }},
        {"restart", [](S& s) -> uint32_t& { return s.weights.restart; }},
        {"cut", [](S& s) -> uint32_t& { return s.weights.cut; }},
        {"one_way", [](S& s) -> uint32_t& { return s.weights.one_way; }},
        {"partition", [](S& s) -> uint32_t& { return s.weights.partition; }},
        {"clog", [](S& s) -> uint32_t& { return s.weights.clog; }},
        {"slow", [](S& s) -> uint32_t& { return s.weights.slow; }},
        {"stall", [](S& s) -> uint32_t& { return s.weights.stall; }},
        {"flap", [](S& s) -> uint32_t& { return s.weights.flap; }},
        {"reroute", [](S& s) -> uint32_t& { return s.weights.reroute; }},
        {"cancel", [](S& s) -> uint32_t& { return s.weights.cancel; }},
        {"drain", [](S& s) -> uint32_t& { return s.weights.drain; }},
        {"skew", [](S& s) -> uint32_t& { return s.weights.skew; }},
        {"no_quotes", [](S& s) -> uint32_t& { return s.weights.no_quotes; }},
        {"revoke", [](S& s) -> uint32_t& { return s.weights.revoke; }},
        {"lie", [](S& s) -> uint32_t& { return s.weights.lie; }},
        {"garble", [](S& s) -> uint32_t& { return s.weights.garble; }},
        {"swap", [](S& s) -> uint32_t& { return s.weights.swap; }},
        {"twice", [](S& s) -> uint32_t& { return s.weights.twice; }},
        {"replay", [](S& s) -> uint32_t& { return s.weights.replay; }},
    };
    return all;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

Result<void> parse_line(std::string_view line, std::set<std::string_view>& seen, Scenario& out) {
    const size_t blank = std::min(line.find_first_of(" \t"), line.size());
    const std::string_view name = line.substr(0, blank);
    const std::string_view text = trim(line.substr(blank));
    const auto key = std::ranges::find(keys(), name, &Key::name);
    if (key == keys().end()) {
        return fail(ErrorCode::config_invalid,
                    "have the key " + quote_foreign(name) + ", need one of a scenario");
    }
    if (!seen.insert(key->name).second)
        return fail(ErrorCode::config_invalid, std::string(key->name) + ": given twice");
    uint32_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_number = failed == std::errc() && end == text.data() + text.size();
    if (!is_number || value < key->min || value > key->max) {
        return fail(ErrorCode::config_invalid, std::string(key->name) + ": have " +
                                                   quote_foreign(text) + ", need a number from " +
                                                   std::to_string(key->min) + " to " +
                                                   std::to_string(key->max));
    }
    key->field(out) = value;
    return {};
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view text) {
    if (text.size() > scenario_bytes_max) {
        return fail(ErrorCode::limit_exceeded, "scenario: have " + std::to_string(text.size()) +
                                                   " bytes, at most " +
                                                   std::to_string(scenario_bytes_max));
    }
    Scenario out;
    std::set<std::string_view> seen;
    for (size_t number = 1; !text.empty(); ++number) {
        const size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        line = trim(line.substr(0, line.find('#')));
        if (line.empty()) continue;
        if (auto parsed = parse_line(line, seen, out); !parsed) {
            return in_context("scenario line " + std::to_string(number), std::move(parsed).error());
        }
    }
    return out;
}

}  // namespace teetee::sim
