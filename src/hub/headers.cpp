// SPDX-License-Identifier: Apache-2.0
#include "hub/headers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "net/address.hpp"

namespace teetee::hub {
namespace {

std::optional<uint64_t> parse_number(std::string_view text) {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// The text up to `end`, which goes with it; nullopt where it does not come.
std::optional<std::string_view> take_until(std::string_view& text, char end) {
    const size_t at = text.find(end);
    if (at == text.npos) return std::nullopt;
    const auto taken = text.substr(0, at);
    text.remove_prefix(at + 1);
    return taken;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT", the one form that may still be sent.
std::optional<UnixSeconds> parse_http_date(std::string_view text) {
    constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) {
        return std::nullopt;
    }
    const auto month = std::ranges::find(months, text.substr(8, 3));
    const auto day = parse_number(text.substr(5, 2));
    const auto year = parse_number(text.substr(12, 4));
    const auto hour = parse_number(text.substr(17, 2));
    const auto minute = parse_number(text.substr(20, 2));
    const auto second = parse_number(text.substr(23, 2));
    if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
    const std::chrono::year_month_day date(
        std::chrono::year(static_cast<int>(*year)),
        std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
        std::chrono::day(static_cast<unsigned>(*day)));
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    const auto days = std::chrono::sys_days(date).time_since_epoch().count();
    return UnixSeconds{days} * 86400 + static_cast<UnixSeconds>(*hour * 3600 + *minute * 60) +
           static_cast<UnixSeconds>(*second);
}

}  // namespace

Result<ContentRange> parse_content_range(std::string_view text) {
    const auto malformed =
        fail(ErrorCode::http_malformed,
             "Content-Range: have " + quote_foreign(text) + ", need bytes FIRST-LAST/LENGTH");
    if (!text.starts_with("bytes ")) return malformed;
    text.remove_prefix(6);
    const auto first_text = take_until(text, '-');
    const auto last_text = take_until(text, '/');
    if (!first_text || !last_text) return malformed;
    const auto first = parse_number(*first_text);
    const auto last = parse_number(*last_text);
    if (!first || !last || *last < *first || *last == UINT64_MAX) return malformed;
    ContentRange out{.range = {*first, *last + 1}};
    if (text == "*") return out;
    out.total = parse_number(text);
    if (!out.total || *out.total <= *last) return malformed;
    return out;
}

std::optional<uint64_t> parse_unsatisfied_range(std::string_view text) {
    constexpr std::string_view prefix = "bytes */";
    if (!text.starts_with(prefix)) return std::nullopt;
    return parse_number(text.substr(prefix.size()));
}

std::optional<Duration> parse_retry_after(std::string_view text, UnixSeconds now) {
    // Longer than anybody waits, and far from what a Duration can hold.
    constexpr int64_t seconds_max = 365 * 86400;
    if (const auto seconds = parse_number(text)) {
        return std::chrono::seconds(std::min<uint64_t>(*seconds, seconds_max));
    }
    const auto date = parse_http_date(text);
    if (!date) return std::nullopt;
    return std::chrono::seconds(std::clamp<int64_t>(*date - now, 0, seconds_max));
}

Result<std::string> resolve_location(std::string_view from, std::string_view location) {
    TT_TRY(const auto base, net::parse_url(from));
    const std::string origin = (base.tls ? "https://" : "http://") + net::to_string(base.address);
    std::string to(location.substr(0, location.find('#')));
    if (to.starts_with("//")) {
        to.insert(0, base.tls ? "https:" : "http:");
    } else if (to.starts_with('/')) {
        to.insert(0, origin);
    }
    const auto url = net::parse_url(to);
    if (!url) {
        return fail(ErrorCode::hub_malformed,
                    "Location: have " + quote_foreign(location) + ", need a URL or a path");
    }
    if (base.tls && !url->tls) {
        return fail(ErrorCode::hub_refused, "it leads from https to http, to " +
                                                quote_foreign(net::to_string(url->address)));
    }
    return to;
}

std::string parse_next_link(std::string_view text) {
    while (const auto before = take_until(text, '<')) {
        const auto target = take_until(text, '>');
        if (!target) return {};
        const auto parameters = text.substr(0, text.find('<'));
        if (parameters.find("rel=\"next\"") != parameters.npos ||
            parameters.find("rel=next") != parameters.npos) {
            return std::string(*target);
        }
    }
    return {};
}

Result<std::string> origin_of(std::string_view url) {
    TT_TRY(auto parsed, net::parse_url(url));
    std::ranges::transform(parsed.address.host, parsed.address.host.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    return (parsed.tls ? "https://" : "http://") + net::to_string(parsed.address);
}

std::string_view bare_etag(std::string_view etag) {
    if (etag.starts_with("W/")) etag.remove_prefix(2);
    if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
        etag = etag.substr(1, etag.size() - 2);
    }
    return etag;
}

std::string validator_of(const net::HttpHeaders& headers) {
    const auto etag = field(headers, "etag");
    if (!etag.empty() && !etag.starts_with("W/")) return std::string(etag);
    return std::string(field(headers, "last-modified"));
}

std::string_view field(const net::HttpHeaders& headers, std::string_view name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : found->second;
}

}  // namespace teetee::hub
