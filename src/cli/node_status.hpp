// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/http_server.hpp"
#include "node/node.hpp"

namespace teetee::cli {

/// --status: plain HTTP on every node, an entry or not, for what looks after it: GET /health (it
/// runs), /ready (it may be counted on), /registration (what its host registers it with). Nothing
/// of it is secret, and nothing of it is to be believed: the registration proves itself. Lives on
/// the loop's thread.
class NodeStatusServer {
  public:
    /// The registration file's text; nullopt where the node signs for nobody.
    using Registration = std::function<std::optional<std::string>()>;

    /// `node` MUST outlive it. Errors: address_invalid; of HttpServer::listen.
    static Result<std::unique_ptr<NodeStatusServer>> listen(net::Loop& loop,
                                                            const std::string& address,
                                                            const node::Node& node,
                                                            Registration registration);

    net::HttpResponse answer(const net::HttpRequest& request) const;

  private:
    NodeStatusServer(const node::Node& node, Registration registration)
        : node_(node), registration_(std::move(registration)) {}

    const node::Node& node_;
    Registration registration_;
    std::unique_ptr<net::HttpServer> server_;
};

}  // namespace teetee::cli
