// SPDX-License-Identifier: Apache-2.0
#include "node/registry_file.hpp"

#include <set>

#include "attest/json_members.hpp"
#include "attest/limits.hpp"
#include "base/strict_json.hpp"
#include "model/limits.hpp"
#include "net/address.hpp"
#include "node/limits.hpp"

namespace teetee::node {
namespace {

namespace json = boost::json;

Result<LayerRange> parse_layers(attest::JsonMembers& members) {
    constexpr std::string_view need = "two numbers, first layer and end";
    TT_TRY(const json::array* ends, members.array("layers", 2));
    LayerRange layers;
    if (ends->size() != 2) return members.wrong("layers", "another number of elements", need);
    for (uint32_t* end : {&layers.begin, &layers.end}) {
        const json::value& value = ends->at(end == &layers.begin ? 0 : 1);
        if (!value.is_int64() || value.get_int64() < 0 ||
            value.get_int64() > model::layer_count_max) {
            return members.wrong("layers", "something else", need);
        }
        *end = static_cast<uint32_t>(value.get_int64());
    }
    if (layers.begin >= layers.end) return members.wrong("layers", "no layer", need);
    return layers;
}

Result<RegistryEntry> parse_entry(const json::value& value, size_t index) {
    TT_TRY(auto members, attest::JsonMembers::of(value, "registry[" + std::to_string(index) + "]",
                                                 ErrorCode::config_invalid));
    RegistryEntry entry;
    TT_TRY(entry.url, members.text("url", attest::advert_url_bytes_max));
    const auto address = net::parse_address(entry.url);
    if (!address || address->port == 0 || !entry.url.starts_with("tls://"))
        return members.wrong("url", quote_foreign(entry.url), "tls://host:port");
    if (members.has("node_id")) {
        TT_TRY(entry.node_id, members.hex<20>("node_id"));
    }
    if (members.has("layers")) {
        TT_TRY(entry.layers, parse_layers(members));
    }
    TT_CHECK(members.ensure_read());
    return entry;
}

}  // namespace

Result<std::vector<RegistryEntry>> parse_registry(std::string_view text) {
    const auto parsed = parse_strict_json(
        text, {.bytes_max = registry_bytes_max, .depth_max = registry_json_depth_max});
    if (!parsed) return fail(ErrorCode::config_invalid, parsed.error().detail);
    const json::array* list = parsed->if_array();
    if (list == nullptr || list->size() > registry_entries_max) {
        return fail(
            ErrorCode::config_invalid,
            "registry: have " +
                (list == nullptr ? "another type" : std::to_string(list->size()) + " entries") +
                ", need a list of at most " + std::to_string(registry_entries_max));
    }
    std::vector<RegistryEntry> entries;
    std::set<std::string> urls;
    for (const json::value& value : *list) {
        TT_TRY(auto entry, parse_entry(value, entries.size()));
        if (!urls.insert(entry.url).second) {
            return fail(ErrorCode::config_invalid, "registry[" + std::to_string(entries.size()) +
                                                       "].url: have " + quote_foreign(entry.url) +
                                                       " again, need each once");
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

std::string encode_registry(std::span<const RegistryEntry> entries) {
    json::array list;
    for (const RegistryEntry& entry : entries) {
        json::object object = {{"url", entry.url}};
        if (entry.node_id) object["node_id"] = "0x" + to_hex(*entry.node_id);
        if (entry.layers) object["layers"] = json::array{entry.layers->begin, entry.layers->end};
        list.push_back(std::move(object));
    }
    return json::serialize(list) + "\n";
}

Result<std::vector<RegistryEntry>> RegistryFile::nodes() {
    TT_TRY(const net::File file, net::File::open(path_));
    if (seen_ == file.state()) return list_;
    seen_ = file.state();
    list_ = read();
    return list_;
}

Result<std::vector<RegistryEntry>> RegistryFile::read() const {
    TT_TRY(const Bytes text, net::read_file(path_, registry_bytes_max));
    auto entries = parse_registry(as_text(text));
    if (!entries) return in_context(path_, std::move(entries).error());
    return entries;
}

}  // namespace teetee::node
