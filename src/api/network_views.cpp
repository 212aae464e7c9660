// SPDX-License-Identifier: Apache-2.0
#include "api/network_views.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/limits.hpp"
#include "attest/statement.hpp"
#include "base/bytes.hpp"

namespace teetee::api {
namespace {

/// Of all routes, each once, in the order of their layers.
std::vector<node::RouteNode> nodes_of(const node::NodeStatus& status) {
    std::vector<node::RouteNode> nodes;
    for (const auto& route : status.routes) {
        for (const node::RouteNode& node : route) {
            if (std::ranges::count(nodes, node.node_id, &node::RouteNode::node_id) == 0)
                nodes.push_back(node);
        }
    }
    std::ranges::stable_sort(nodes, {}, &node::RouteNode::layers);
    return nodes;
}

}  // namespace

boost::json::object health(const node::Node& node, const node::NodeStatus& status) {
    boost::json::array route;
    for (const node::RouteNode& hop : nodes_of(status)) {
        route.push_back({{"node", to_hex(hop.node_id)},
                         {"layers", boost::json::array{hop.layers.begin, hop.layers.end}}});
    }
    boost::json::array unregistered;
    for (const auto& one : status.unregistered)
        unregistered.push_back({{"node", to_hex(one.node_id)}, {"why", one.why}});
    std::string_view detail = "every layer is served";
    if (!status.ready) {
        detail = status.unregistered.empty()
                     ? "waiting for the other nodes of the route; their logs say why"
                     : "waiting for nodes that are registered; unregistered says which are not";
    }
    return {{"status", status.ready ? "ok" : "unavailable"},
            {"detail", detail},
            {"model", node.model_id()},
            {"simulated", node.simulated()},
            {"route", route},
            {"routes", status.routes.size()},
            {"unregistered", unregistered},
            {"round_trip_us",
             std::chrono::duration_cast<std::chrono::microseconds>(status.round_trip).count()},
            {"active_requests", status.active_count},
            {"queued_requests", status.queued_count},
            {"prompt_tokens", status.counters.prompt_tokens},
            {"completion_tokens", status.counters.completion_tokens}};
}

boost::json::object entries(const node::Node& node) {
    boost::json::array list;
    for (const attest::Advert& advert : node.entries()) {
        boost::json::object entry = {
            {"node", to_hex(advert.node_id)},
            {"layers", boost::json::array{advert.layers.begin, advert.layers.end}},
            {"expires", advert.not_after}};
        if (!advert.api_url.empty()) entry["api_url"] = advert.api_url;
        if (!advert.api_tls_url.empty()) entry["api_tls_url"] = advert.api_tls_url;
        list.push_back(std::move(entry));
    }
    return {{"object", "list"},
            {"model_root", to_hex(node.statement().model_root)},
            {"data", std::move(list)}};
}

namespace {

boost::json::array layers_view(const LayerRange& layers) {
    return {layers.begin, layers.end};
}

boost::json::object sight_view(const node::NodeSight& sight) {
    boost::json::array buckets;
    for (const node::NodeHistory::Span& span : sight.history.spans) {
        buckets.push_back(
            {{"probes", span.probes}, {"answered", span.answered}, {"tokens", span.tokens}});
    }
    boost::json::object out = {{"node", to_hex(sight.node_id)},
                               {"receipt_key", chain::to_checksum_text(sight.node_id)},
                               {"layers", layers_view(sight.layers)},
                               {"entry", sight.layers.begin == 0},
                               {"api_url", nullptr},
                               {"api_tls_url", nullptr},
                               {"draining", sight.is_draining},
                               {"linked", sight.is_linked},
                               {"round_trip_ms", nullptr},
                               {"answered_at", sight.answered_at}};
    if (!sight.api_url.empty()) out["api_url"] = sight.api_url;
    if (!sight.api_tls_url.empty()) out["api_tls_url"] = sight.api_tls_url;
    if (sight.round_trip) {
        using Milliseconds = std::chrono::duration<double, std::milli>;
        // To the microsecond.
        const auto rounded = std::chrono::round<std::chrono::microseconds>(*sight.round_trip);
        out["round_trip_ms"] = Milliseconds(rounded).count();
    }
    out["history"] = boost::json::object{{"seconds", node::NodeHistory::span_s},
                                         {"from", sight.history.from},
                                         {"buckets", std::move(buckets)}};
    return out;
}

}  // namespace

boost::json::array nodes_that_fit(const std::vector<node::NodeSight>& nodes, size_t bytes_max) {
    std::vector<size_t> order(nodes.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, [&](size_t a, size_t b) {
        return std::tuple(nodes[b].is_linked, nodes[b].answered_at) <
               std::tuple(nodes[a].is_linked, nodes[a].answered_at);
    });
    std::vector<boost::json::value> views(nodes.size());
    size_t bytes = 0;
    for (const size_t place : order) {
        boost::json::value view = sight_view(nodes[place]);
        bytes += boost::json::serialize(view).size() + 1;
        if (bytes > bytes_max) break;
        views[place] = std::move(view);
    }
    boost::json::array out;
    for (boost::json::value& view : views) {
        if (!view.is_null()) out.push_back(std::move(view));
    }
    return out;
}

boost::json::object network(const node::Node& node, const node::NodeStatus& status,
                            const ChainWindow* chain, WithHistory history) {
    const attest::Statement& statement = node.statement();
    boost::json::array shards;
    uint32_t layers = 0;
    for (const LayerRange& shard : node.shard_layers()) {
        shards.push_back(layers_view(shard));
        layers = shard.end;
    }
    boost::json::array routes;
    for (const auto& route : status.routes) {
        boost::json::array path;
        for (const node::RouteNode& hop : route) path.emplace_back(to_hex(hop.node_id));
        routes.push_back(std::move(path));
    }
    const size_t spans = history == WithHistory::yes ? node::NodeHistory::spans_max : 0;
    const std::vector<node::NodeSight> sights = node.network(spans);
    boost::json::array nodes = nodes_that_fit(sights, network_nodes_bytes_max);
    return {{"object", "network"},
            {"entry", to_hex(statement.receipt_address)},
            {"simulated", node.simulated()},
            {"model",
             {{"name", node.model_id()},
              {"model_root", to_hex(statement.model_root)},
              {"layers", layers},
              {"shards", std::move(shards)}}},
            {"policy_hash", to_hex(statement.policy_hash)},
            {"chain", chain_view(chain)},
            {"routes", std::move(routes)},
            {"nodes_left_out", sights.size() - nodes.size()},
            {"nodes", std::move(nodes)}};
}

boost::json::object collateral(const node::Node& node,
                               const attest::CollateralDocuments* documents) {
    boost::json::array data;
    boost::json::array left_out;
    size_t bytes = 0;
    for (const attest::PlatformId& platform : node.platforms()) {
        const std::string name = attest::to_string(platform);
        const auto found = documents == nullptr ? std::nullopt : documents->documents(platform);
        const std::string text = found ? attest::encode_collateral(*found) : "";
        if (text.empty() || bytes + text.size() > collateral_list_bytes_max) {
            left_out.emplace_back(name);
            continue;
        }
        bytes += text.size();
        data.push_back({{"platform", name}, {"collateral", boost::json::parse(text)}});
    }
    return {{"object", "list"}, {"data", std::move(data)}, {"left_out", std::move(left_out)}};
}

void put_evidence(boost::json::object& node, const attest::Evidence& evidence) {
    node["statement"] = to_base64(evidence.statement);
    node["quote"] = to_base64(evidence.quote);
    if (auto statement = attest::decode_statement(evidence.statement))
        node["statement_fields"] = boost::json::parse(attest::statement_json(*statement));
}

boost::json::object evidence_of_route(const node::Node& node, const node::NodeStatus& status) {
    boost::json::array nodes;
    for (const node::RouteNode& hop : nodes_of(status)) {
        boost::json::object entry = {
            {"node", to_hex(hop.node_id)},
            {"layers", boost::json::array{hop.layers.begin, hop.layers.end}}};
        put_evidence(entry, {hop.statement, hop.quote});
        nodes.push_back(std::move(entry));
    }
    return {
        {"version", 1},
        {"ready", status.ready},
        {"simulated", node.simulated()},
        {"notice", node.simulated()
                       ? "SIMULATED: these quotes come from a development TEE and protect nothing"
                       : ""},
        {"model_root", to_hex(node.statement().model_root)},
        {"nodes", nodes}};
}

}  // namespace teetee::api
