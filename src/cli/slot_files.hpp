// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chain/contract_records.hpp"
#include "cli/pull_session.hpp"
#include "model/manifest.hpp"
#include "node/policy_file.hpp"

namespace teetee::cli {

/// A URL, or hf:OWNER/NAME; else it is a file of this machine.
bool is_remote(std::string_view where);

/// The three files that a node of a slot serves with, in a folder of their own. What each must be,
/// the contract says: where they come from does not matter.
struct SlotFolder {
    std::string path;

    std::string shard() const { return path + "/shard.gguf"; }
    std::string manifest() const { return path + "/manifest.json"; }
    std::string policy() const { return path + "/policy.json"; }
};

struct SlotFilesOptions {
    SlotFolder folder{};
    /// A file or a URL (https, http, hf:OWNER/NAME/FILE); empty: what the pool says.
    std::string manifest{};
    std::string policy{};
    /// Where shards are: URLs of the file itself or of a folder with it, hf:OWNER/NAME; tried in
    /// order. Empty: beside the manifest.
    std::vector<std::string> from{};
    std::string ca_file{};
    std::string token_file{};
    size_t connections = 4;
};

/// What was read of the pool, and checked against it.
struct SlotTerms {
    model::Manifest manifest{};
    std::string manifest_text{};
    attest::Policy policy{};
    std::string policy_text{};
    /// Where the shard may be had, in order.
    std::vector<std::string> shard_urls{};
};

/// Manifest and policy, from the folder where it has them already. Errors: shard_mismatch where the
/// manifest is not the pool's model in the pool's slots; policy_malformed where the policy is not
/// the one that the pool names; invalid_argument where nobody says where they are; of fetching.
Result<SlotTerms> read_slot_terms(const SlotFilesOptions& options, const chain::PoolRecord& pool,
                                  uint64_t now, uint64_t slot);

struct FetchedShard {
    std::string source{};
    uint64_t bytes = 0;
    uint64_t fetched_bytes = 0;
    uint64_t resumed_bytes = 0;
    bool was_there = false;
};

/// Writes manifest and policy, fetches the shard or what is missing of it, and verifies every byte
/// of it against the manifest. Errors: shard_mismatch; already_exists where another shard lies
/// there; of hub::download.
Result<FetchedShard> fetch_slot(const SlotFilesOptions& options, const SlotTerms& terms,
                                uint64_t slot);

/// Where a file is that lies beside, or in, what was named: "https://a/b/manifest.json" and
/// "https://a/b/" make "https://a/b/NAME"; a URL that ends in ".gguf" is the file's own. hf:
/// references become URLs of the hub. Error: invalid_argument.
Result<std::string> url_beside(std::string_view named, const std::string& name);

}  // namespace teetee::cli
