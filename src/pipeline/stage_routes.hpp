// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "wire/message.hpp"

namespace teetee::pipeline {

/// A stage's two neighbours on a route. The tail's next is the entry.
struct Neighbours {
    wire::NodeId previous{};
    wire::NodeId next{};
    auto operator<=>(const Neighbours&) const = default;
};

/// The routes that pass through a stage, and the links that they need.
class StageRoutes {
  public:
    /// Of all entries together; one route more is refused.
    static constexpr size_t routes_max = 256;

    /// Which place on a path is the stage's own, and whether it must be the last.
    struct Place {
        wire::NodeId node{};
        bool is_tail = false;
    };
    explicit StageRoutes(Place own) : own_(own) {}

    void on_link_up(const wire::NodeId& peer) { peers_.insert(peer); }
    /// Takes out the routes over this link.
    std::map<wire::RouteId, Neighbours> on_link_down(const wire::NodeId& peer);

    /// The neighbours on the path of a probe that came from `from`, as a known route or a new one.
    /// None where the path is not one over this stage's links, or not the route's.
    const Neighbours* join(const wire::RouteId& id, const wire::NodeId& from,
                           const wire::Probe& probe);
    /// The next node, where join() lacks nothing but the link to it.
    std::optional<wire::NodeId> missing_next(const wire::RouteId& id, const wire::NodeId& from,
                                             const wire::Probe& probe) const;
    const Neighbours* find(const wire::RouteId& id) const;
    void leave(const wire::RouteId& id) { routes_.erase(id); }

    size_t count() const { return routes_.size(); }

  private:
    std::optional<Neighbours> neighbours_on(const wire::RouteId& id,
                                            const wire::Probe& probe) const;

    Place own_;
    std::set<wire::NodeId> peers_;
    std::map<wire::RouteId, Neighbours> routes_;
};

}  // namespace teetee::pipeline
