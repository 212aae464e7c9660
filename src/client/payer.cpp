// SPDX-License-Identifier: Apache-2.0
#include "client/payer.hpp"

#include <charconv>

namespace teetee::client {
namespace {

/// Takes "name=number" off the front, with the space before it.
std::optional<billing::Credits> take_member(std::string_view& rest, std::string_view name) {
    for (const std::string_view part : {std::string_view(" "), name, std::string_view("=")}) {
        if (!rest.starts_with(part)) return std::nullopt;
        rest.remove_prefix(part.size());
    }
    billing::Credits value = 0;
    const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (failed != std::errc()) return std::nullopt;
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    return value;
}

}  // namespace

std::optional<billing::Standing> parse_standing_comment(std::string_view line) {
    constexpr std::string_view mark = ": payment";
    if (!line.starts_with(mark)) return std::nullopt;
    line.remove_prefix(mark.size());
    const auto charged = take_member(line, "charged");
    const auto held = take_member(line, "held");
    const auto signed_amount = take_member(line, "signed");
    const auto claimable = take_member(line, "claimable");
    if (!charged || !held || !signed_amount || !claimable || !line.empty()) return std::nullopt;
    return billing::Standing{.charged = *charged,
                             .held = *held,
                             .signed_amount = *signed_amount,
                             .claimable = *claimable};
}

}  // namespace teetee::client
