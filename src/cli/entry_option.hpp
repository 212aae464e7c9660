// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "cli/network_files.hpp"
#include "client/verified_entry.hpp"

namespace teetee::cli {

/// --entry: one entry that a command asks over its attested certificate.
struct EntryOption {
    /// Empty: that of `teetee up`.
    std::string url;

    void add_to(CLI::App& command);
    /// Verifies every node of its route. Errors: of VerifiedEntry::open and verify_route.
    Result<client::VerifiedEntry> open(const NetworkFiles& files, const NetworkTerms& terms) const;
};

}  // namespace teetee::cli
