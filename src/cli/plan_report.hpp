// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "model/cut_plan.hpp"

namespace teetee::cli {

/// A plan, and what it follows from.
struct PlanReport {
    std::string model{};
    model::ModelCosts costs{};
    std::vector<model::PlanHost> hosts{};  // without the margin of their memory
    size_t shard_count = 0;                // that was asked for; 0: any
    uint32_t rows = 1;
    Position positions = 0;
    double rtt_s = 0;  // between any two hosts
    model::CutPlan plan{};

    /// Of a batch alone: every stage, and one hop behind each, as the tail's goes back to the
    /// entry.
    double round_s() const;
    /// As many as an entry keeps in flight: one more than there are stages.
    size_t batches_in_flight() const { return plan.shards.size() + 1; }
    /// With so many: what the slowest stage lets through, or the way round.
    double tokens_per_s() const;
    std::vector<std::string> idle_hosts() const;
    const std::string& slowest_host() const;
    /// Of each place where the model is cut: why it is not one layer further on.
    std::vector<std::string> why() const;
    /// What would make the slowest stage faster, each by how much; nothing where nothing would.
    std::vector<std::string> help() const;

    boost::json::object json() const;
    std::string text() const;

  private:
    std::string table() const;
    std::string one_more(size_t shard, LayerRange layers) const;
};

}  // namespace teetee::cli
