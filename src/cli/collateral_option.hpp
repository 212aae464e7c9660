// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "net/collateral_cache.hpp"

namespace teetee::cli {

/// --collateral and --pccs: where Intel's documents for the platforms of nodes come from.
struct CollateralOption {
    /// Empty: the folder "collateral" beside the policy, if there is one.
    std::string folder;
    /// How often it is looked at.
    uint32_t poll_s = 30;
    /// Empty: Intel's own where the roots are Intel's; "none": none.
    std::vector<std::string> services;
    /// The roots that https services are known by, PEM; empty: the system's.
    std::string ca_file;

    void add_folder_to(CLI::App& command);
    void add_services_to(CLI::App& command);

    /// Where the default leads to is filled in.
    void complete(const std::string& policy_path);

    /// Error: address_invalid.
    Result<std::vector<net::PcsClient>> open_services(const attest::TrustedRoots& roots) const;
    /// Error: as above.
    Result<net::CollateralCacheOptions> cache_options(const attest::TrustedRoots& roots) const;
};

/// For commands, which ask when they need something and wait for it.
class CommandCollateral final : public attest::CollateralSource {
  public:
    /// As of `time`, or as of the moment where there is none.
    static Result<std::unique_ptr<CommandCollateral>> open(const CollateralOption& option,
                                                           const attest::TrustedRoots& roots,
                                                           std::optional<UnixSeconds> time = {});

    /// What nobody has yet is looked for: in the folder, then at the services.
    std::shared_ptr<const attest::VerifiedCollateral> find(
        const attest::PlatformId& platform) override;
    uint64_t version() const override { return cache_->version(); }

  private:
    CommandCollateral() = default;

    std::unique_ptr<Clock> clock_;
    std::unique_ptr<Rng> rng_;
    std::unique_ptr<Log> log_;
    std::unique_ptr<net::CollateralCache> cache_;
};

}  // namespace teetee::cli
