// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "api/chain_views.hpp"
#include "attest/collateral_documents.hpp"
#include "attest/evidence.hpp"
#include "node/node.hpp"

namespace teetee::api {

/// GET /health: whether every layer is served, over which nodes, and who is not let in.
boost::json::object health(const node::Node& node, const node::NodeStatus& status);

/// GET /v1/entries: the entries that this one knows. Whoever asks one of them verifies its evidence
/// first.
boost::json::object entries(const node::Node& node);

enum class WithHistory { no, yes };
/// GET /v1/network: the model, the chain, and each node as this entry has seen it itself.
boost::json::object network(const node::Node& node, const node::NodeStatus& status,
                            const ChainWindow* chain, WithHistory history);

/// Its nodes, in their order, as far as they fit: those that are linked, and that answered last,
/// before others.
boost::json::array nodes_that_fit(const std::vector<node::NodeSight>& nodes, size_t bytes_max);

/// GET /v1/collateral: Intel's documents by which the quotes of /attestation are judged. They are
/// signed, so that an entry can hold them back and not forge them.
boost::json::object collateral(const node::Node& node,
                               const attest::CollateralDocuments* documents);

/// GET /attestation: statement and quote of every node on a route, for the client to verify
/// itself; the entry is the first.
boost::json::object evidence_of_route(const node::Node& node, const node::NodeStatus& status);

/// Base64 of both into `node`, and the statement's fields, which are for people.
void put_evidence(boost::json::object& node, const attest::Evidence& evidence);

}  // namespace teetee::api
