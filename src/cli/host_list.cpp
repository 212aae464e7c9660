// SPDX-License-Identifier: Apache-2.0
#include "cli/host_list.hpp"

#include <cmath>

#include "base/bytes.hpp"
#include "model/json_members.hpp"
#include "model/kv_budget.hpp"
#include "model/limits.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

using model::JsonMembers;

Result<boost::json::value> read_json(const std::string& path) {
    TT_TRY(const auto bytes, net::read_file(path, model::json_tree_bytes_max));
    return model::parse_json_tree(as_text(bytes), path);
}

/// Nothing when absent or, as `bench` writes what it did not measure, 0.
Result<double> read_speed(JsonMembers& members, std::string_view key) {
    TT_TRY(const auto speed, members.number(key));
    if (!speed) return 0.0;
    if (!(*speed >= 0) || !std::isfinite(*speed)) return members.invalid(key, "need a speed");
    return *speed;
}

/// "memory": "8GiB", or "memory_bytes" as `bench` has it; the first wins.
Result<uint64_t> read_memory(JsonMembers& members) {
    TT_TRY(const auto text, members.string("memory"));
    TT_TRY(const auto bytes, members.number("memory_bytes"));
    if (text) {
        auto parsed = model::parse_byte_count(*text);
        if (!parsed) return members.invalid("memory", parsed.error().detail);
        return parsed;
    }
    if (!bytes || !(*bytes >= 1) || *bytes > 0x1p53)
        return members.invalid("memory_bytes", "need bytes, or \"memory\": \"8GiB\"");
    return static_cast<uint64_t>(*bytes);
}

Result<model::PlanHost> parse_host(JsonMembers& members, std::string name) {
    model::PlanHost host;
    host.name = std::move(name);
    TT_TRY(host.memory_bytes, read_memory(members));
    TT_TRY(host.read_bytes_per_s, read_speed(members, "weight_bytes_per_s"));
    TT_TRY(host.multiply_adds_per_s, read_speed(members, "multiply_adds_per_s"));
    if (host.read_bytes_per_s == 0)
        return members.invalid("weight_bytes_per_s", "need a speed, as 'teetee bench' measures it");
    // What else `bench` prints is of its own model.
    members.ignore({"model", "threads", "kernel", "shards", "batch", "repeat", "prompt_tokens",
                    "gen_tokens", "prefill_tokens_per_s", "decode_tokens_per_s", "peak_rss_bytes",
                    "model_bytes", "kv_bytes", "read_bytes_per_s"});
    TT_CHECK(members.ensure_all_taken());
    return host;
}

}  // namespace

Result<std::vector<model::PlanHost>> read_hosts(const std::string& path) {
    TT_TRY(const auto tree, read_json(path));
    TT_TRY(auto members, JsonMembers::of(tree, path, ErrorCode::config_invalid));
    const boost::json::value* list = members.find("hosts");
    if (list == nullptr || !list->is_array()) return members.invalid("hosts", "need a list");
    TT_CHECK(members.ensure_all_taken());
    std::vector<model::PlanHost> hosts;
    for (const boost::json::value& value : list->get_array()) {
        TT_TRY(auto one, JsonMembers::of(value, path + ": host " + std::to_string(hosts.size()),
                                         ErrorCode::config_invalid));
        TT_TRY(std::string name, one.required_string("name"));
        TT_TRY(auto host, parse_host(one, std::move(name)));
        hosts.push_back(std::move(host));
    }
    return hosts;
}

Result<model::PlanHost> read_host(const std::string& named_file) {
    const size_t equals = named_file.find('=');
    if (equals == 0 || equals == std::string::npos) {
        return fail(ErrorCode::config_invalid,
                    "--host: have " + quote_foreign(named_file) + ", need NAME=FILE");
    }
    const std::string path = named_file.substr(equals + 1);
    TT_TRY(const auto tree, read_json(path));
    TT_TRY(auto members, JsonMembers::of(tree, path, ErrorCode::config_invalid));
    return parse_host(members, named_file.substr(0, equals));
}

}  // namespace teetee::cli
