// SPDX-License-Identifier: Apache-2.0
#include "sim/router.hpp"

namespace teetee::sim {
namespace {

using Slot = std::vector<std::optional<wire::NodeId>>;

std::optional<wire::NodeId> first_alive(const Slot& slot, size_t begin) {
    for (size_t i = 0; i < slot.size(); ++i) {
        const auto& node = slot[(begin + i) % slot.size()];
        if (node) return node;
    }
    return {};
}

}  // namespace

std::set<Path> wanted_paths(const RouterView& view) {
    std::set<Path> out;
    const size_t count = view.stages.empty() ? 0 : view.stages.front().size();
    for (size_t i = 0; i < count; ++i) {
        Path path = {view.entry};
        for (const Slot& slot : view.stages) {
            const auto node = first_alive(slot, i + view.shift);
            if (!node) return {};
            path.push_back(*node);
        }
        out.insert(std::move(path));
    }
    return out;
}

}  // namespace teetee::sim
