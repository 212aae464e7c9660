// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "attest/evidence.hpp"
#include "attest/peer.hpp"
#include "base/world.hpp"
#include "cli/doctor_finding.hpp"
#include "cli/node_options.hpp"
#include "model/manifest.hpp"

namespace teetee::cli {

/// What is looked at, and what checks have found out for those behind them.
struct DoctorSetup {
    NodeCommandOptions options{};
    /// Hash every byte of the shard.
    bool is_deep = false;
    SystemClock clock{};
    SystemRng rng{};
    NullLog log{};

    std::optional<node::PolicyFile> policy{};
    std::optional<model::Manifest> manifest{};
    std::optional<LayerRange> layers{};
    uint64_t weight_bytes = 0;
    uint64_t kv_bytes = 0;
    std::unique_ptr<attest::EvidenceProvider> tee{};
    /// For platforms, from the folder and from services that answer; null without a policy.
    std::unique_ptr<CommandCollateral> collateral{};
    std::optional<ChainTarget> chain{};
    /// A node of this program has the ports.
    bool has_running_node = false;

    /// Nothing is named that a node would serve: only the machine is looked at.
    bool is_bare() const {
        return options.node.shard.path.empty() && options.node.shard.manifest_path.empty() &&
               options.policy_path.empty();
    }
    bool may_be_entry() const { return !layers || layers->begin == 0; }
};

struct DoctorCheck {
    std::string_view name;
    void (*run)(DoctorSetup& setup, DoctorFindings& findings);
};

// Of doctor_model.cpp: files that the node reads.
void check_policy_file(DoctorSetup& setup, DoctorFindings& findings);
void check_manifest(DoctorSetup& setup, DoctorFindings& findings);
void check_shard(DoctorSetup& setup, DoctorFindings& findings);
void check_draft_model(DoctorSetup& setup, DoctorFindings& findings);
void check_api_keys(DoctorSetup& setup, DoctorFindings& findings);
void check_memory(DoctorSetup& setup, DoctorFindings& findings);
void check_ledger(DoctorSetup& setup, DoctorFindings& findings);

// Of doctor_evidence.cpp.
void check_tee(DoctorSetup& setup, DoctorFindings& findings);
void check_collateral(DoctorSetup& setup, DoctorFindings& findings);
void check_evidence(DoctorSetup& setup, DoctorFindings& findings);

// Of doctor_host.cpp: the machine.
void check_clock(DoctorSetup& setup, DoctorFindings& findings);
void check_ports(DoctorSetup& setup, DoctorFindings& findings);
void check_disk(DoctorSetup& setup, DoctorFindings& findings);
void check_descriptors(DoctorSetup& setup, DoctorFindings& findings);
void check_processor(DoctorSetup& setup, DoctorFindings& findings);

// Of doctor_network.cpp and doctor_chain.cpp: others.
void check_peers(DoctorSetup& setup, DoctorFindings& findings);
void check_entry(DoctorSetup& setup, DoctorFindings& findings);
void check_chain(DoctorSetup& setup, DoctorFindings& findings);

/// What must be there for `teetee node` to start is a problem where it is not, unless nothing at
/// all is named.
void report_missing(const DoctorSetup& setup, DoctorFindings& findings, std::string_view option);

}  // namespace teetee::cli
