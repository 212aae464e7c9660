// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "net/link.hpp"
#include "pipeline/directory.hpp"

namespace teetee::node {

/// Keeps dialling the nodes that are wanted. Lives on the loop's thread.
class Dialers {
  public:
    Dialers(const net::LinkEnvironment& environment, net::OnLink on_link)
        : environment_(environment), on_link_(std::move(on_link)) {}

    /// Dials those that are not dialled yet and gives up those that are not wanted any more, or
    /// linked by the other side; links that are up go on.
    void want(const std::vector<pipeline::WantedLink>& wanted);

  private:
    net::LinkEnvironment environment_;
    net::OnLink on_link_;
    /// By URL; null where that is none.
    std::map<std::string, std::unique_ptr<net::LinkDialer>> dialers_;
};

}  // namespace teetee::node
