// SPDX-License-Identifier: Apache-2.0
#include "cli/line_limiter.hpp"

#include <algorithm>

namespace teetee::cli {
namespace {

constexpr size_t kind_bytes_max = 96;

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Runs with a digit in them (ports, ids, sums) stand for each other, whatever their length.
std::string kind_of(std::string_view message) {
    std::string out;
    for (size_t at = 0; at < message.size() && out.size() < kind_bytes_max;) {
        const auto end =
            std::find_if_not(message.begin() + static_cast<ptrdiff_t>(at), message.end(), is_hex);
        const auto run = message.substr(at, static_cast<size_t>(end - message.begin()) - at);
        if (run.empty()) {
            out += message[at++];
        } else {
            if (std::ranges::any_of(run, is_digit))
                out += '#';
            else
                out += run;
            at += run.size();
        }
    }
    return out;
}

}  // namespace

bool LineLimiter::admit(Instant now, std::string_view message) {
    std::string name = kind_of(message);
    if (!kinds_.contains(name) && kinds_.size() >= kinds_max) name.clear();
    Kind& kind = kinds_[name];
    if (kind.count == 0 || now - kind.began >= window) kind = {.began = now};
    if (++kind.count == lines_max + 1) kind.message = message;
    return kind.count <= lines_max;
}

std::vector<LineLimiter::Withheld> LineLimiter::take_withheld(Instant now) {
    std::vector<Withheld> out;
    std::erase_if(kinds_, [&](const auto& known) {
        const Kind& kind = known.second;
        if (now - kind.began < window) return false;
        if (kind.count > lines_max) out.push_back({kind.message, kind.count - lines_max});
        return true;
    });
    return out;
}

}  // namespace teetee::cli
