// SPDX-License-Identifier: Apache-2.0
#include "client/entry_list.hpp"

#include "base/strict_json.hpp"
#include "client/limits.hpp"
#include "net/address.hpp"

namespace teetee::client {
namespace {

constexpr size_t depth_max = 8;

std::string url_at(const boost::json::object& entry, std::string_view name) {
    const auto* value = entry.if_contains(name);
    if (value == nullptr || !value->is_string()) return {};
    std::string url(value->get_string());
    while (url.ends_with('/')) url.pop_back();
    return net::parse_url(url) ? url : std::string();
}

}  // namespace

Result<std::vector<ListedEntry>> parse_entry_list(std::string_view body) {
    TT_TRY(const auto value,
           parse_strict_json(body, {.bytes_max = entry_list_bytes_max, .depth_max = depth_max}));
    const auto* object = value.if_object();
    const auto* list = object == nullptr ? nullptr : object->if_contains("data");
    if (list == nullptr || !list->is_array())
        return fail(ErrorCode::invalid_json, "entries: no list under 'data'");
    std::vector<ListedEntry> out;
    for (const auto& item : list->get_array()) {
        if (out.size() == entries_max) break;
        if (!item.is_object()) return fail(ErrorCode::invalid_json, "entries: one is no object");
        ListedEntry entry{url_at(item.get_object(), "api_url"),
                          url_at(item.get_object(), "api_tls_url")};
        if (entry != ListedEntry{}) out.push_back(std::move(entry));
    }
    return out;
}

}  // namespace teetee::client
