// SPDX-License-Identifier: Apache-2.0
#include "pipeline/router.hpp"

#include <algorithm>
#include <map>

namespace teetee::pipeline {
namespace {

/// The nodes of one range of layers that may be used, by id.
using Slot = std::vector<wire::NodeId>;

class Planner {
  public:
    Planner(const RouterOptions& options, const std::vector<RouterNode>& nodes)
        : options_(options) {
        uint32_t begin = options.layers.end;
        while (begin < options.layer_count) {
            const auto range = range_from(begin, nodes);
            if (range.count() == 0) {
                slots_.clear();
                return;
            }
            slots_.push_back(slot_of(range, nodes));
            begin = range.end;
        }
        is_complete_ = true;
    }

    std::vector<Path> plan(const std::vector<Path>& current) {
        if (!is_complete_) return {};
        for (const Path& path : current) {
            if (paths_.size() < options_.routes_max && is_whole(path)) add(path);
        }
        while (paths_.size() < options_.routes_max && (paths_.empty() || has_unused())) {
            Path path{options_.entry};
            for (const Slot& slot : slots_) path.push_back(least_used(slot));
            add(path);
        }
        return paths_;
    }

  private:
    /// Of the ranges that begin there, the one that the most nodes serve.
    LayerRange range_from(uint32_t begin, const std::vector<RouterNode>& nodes) const {
        std::map<LayerRange, size_t> counts;
        for (const RouterNode& node : nodes) {
            const bool fits = node.layers.begin == begin && node.layers.end > begin &&
                              node.layers.end <= options_.layer_count && is_reachable(node);
            if (fits) ++counts[node.layers];
        }
        const auto most =
            std::ranges::max_element(counts, {}, [](const auto& count) { return count.second; });
        return most == counts.end() ? LayerRange{begin, begin} : most->first;
    }

    bool is_reachable(const RouterNode& node) const {
        const bool is_next = node.layers.begin == options_.layers.end;
        const bool is_tail = node.layers.end == options_.layer_count;
        return node.linked || (!is_next && !is_tail);
    }

    Slot slot_of(const LayerRange& range, const std::vector<RouterNode>& nodes) const {
        Slot good;
        Slot avoided;
        for (const RouterNode& node : nodes) {
            if (node.layers != range || !is_reachable(node)) continue;
            (node.avoided ? avoided : good).push_back(node.node_id);
        }
        Slot& slot = good.empty() ? avoided : good;
        std::ranges::sort(slot);
        return slot;
    }

    bool is_whole(const Path& path) const {
        if (path.size() != slots_.size() + 1 || path.front() != options_.entry) return false;
        for (size_t i = 0; i < slots_.size(); ++i) {
            if (std::ranges::count(slots_[i], path[i + 1]) == 0) return false;
        }
        return true;
    }

    bool has_unused() const {
        return std::ranges::any_of(slots_, [this](const Slot& slot) {
            return std::ranges::any_of(
                slot, [this](const wire::NodeId& node) { return !uses_.contains(node); });
        });
    }

    wire::NodeId least_used(const Slot& slot) const {
        return *std::ranges::min_element(slot, {}, [this](const wire::NodeId& node) {
            const auto found = uses_.find(node);
            return found == uses_.end() ? size_t{0} : found->second;
        });
    }

    void add(const Path& path) {
        for (const wire::NodeId& node : path) ++uses_[node];
        paths_.push_back(path);
    }

    const RouterOptions& options_;
    bool is_complete_ = false;
    std::vector<Slot> slots_;
    std::map<wire::NodeId, size_t> uses_;
    std::vector<Path> paths_;
};

}  // namespace

std::vector<RouterNode> router_nodes(const std::vector<KnownNode>& known) {
    std::vector<RouterNode> out;
    for (const KnownNode& node : known) {
        out.push_back({.node_id = node.advert.node_id,
                       .layers = node.advert.layers,
                       .linked = node.linked,
                       .avoided = node.advert.draining || node.suspect});
    }
    return out;
}

std::vector<Path> plan_paths(const RouterOptions& options, const std::vector<RouterNode>& nodes,
                             const std::vector<Path>& current) {
    return Planner(options, nodes).plan(current);
}

}  // namespace teetee::pipeline
