// SPDX-License-Identifier: Apache-2.0
#include "cli/collateral_option.hpp"

#include <cstdio>
#include <filesystem>

#include "attest/intel.hpp"

namespace teetee::cli {
namespace {

class StoppedClock final : public Clock {
  public:
    explicit StoppedClock(UnixSeconds time) : time_(time) {}
    Instant now() const override { return std::chrono::seconds(time_); }
    UnixSeconds unix_now() const override { return time_; }

  private:
    UnixSeconds time_;
};

/// What a command's user should know; not how things went well.
class StderrWarnings final : public Log {
  public:
    void write(LogLevel level, std::string_view message) override {
        if (level < LogLevel::warn) return;
        std::fprintf(stderr, "teetee: %.*s\n", static_cast<int>(message.size()), message.data());
    }
};

}  // namespace

void CollateralOption::add_folder_to(CLI::App& command) {
    command
        .add_option("--collateral", folder,
                    "Folder with Intel's documents for the nodes' platforms, *.json; what is "
                    "fetched is kept there; default: 'collateral' beside the policy, if there")
        ->envname("TEETEE_COLLATERAL");
}

void CollateralOption::add_services_to(CLI::App& command) {
    command
        .add_option("--pccs", services,
                    "URL of Intel's service or a mirror of it (PCCS), may be repeated; default: "
                    "Intel's where the policy trusts Intel's root; 'none': only --collateral")
        ->delimiter(',')
        ->envname("TEETEE_PCCS");
    command
        .add_option("--pccs-ca", ca_file,
                    "PEM file with the roots that https services are known by; default: the "
                    "system's")
        ->envname("TEETEE_PCCS_CA");
}

void CollateralOption::complete(const std::string& policy_path) {
    if (!folder.empty()) return;
    const auto beside = std::filesystem::path(policy_path).parent_path() / "collateral";
    std::error_code failed;
    if (std::filesystem::is_directory(beside, failed)) folder = beside.string();
}

Result<std::vector<net::PcsClient>> CollateralOption::open_services(
    const attest::TrustedRoots& roots) const {
    std::vector<std::string> urls = services;
    if (urls.empty() && roots.contains(attest::intel_root_fingerprint)) {
        urls = {std::string(attest::intel_pcs_url)};
    }
    if (urls == std::vector<std::string>{"none"}) urls.clear();
    std::vector<net::PcsClient> out;
    for (const std::string& url : urls) {
        net::PcsOptions options;
        options.url = url;
        options.ca_file = ca_file;
        auto client = net::PcsClient::create(std::move(options));
        if (!client) return in_context("--pccs", std::move(client).error());
        out.push_back(std::move(*client));
    }
    return out;
}

Result<net::CollateralCacheOptions> CollateralOption::cache_options(
    const attest::TrustedRoots& roots) const {
    net::CollateralCacheOptions options;
    options.roots = roots;
    options.folder = folder;
    options.poll_time = std::chrono::seconds(poll_s);
    TT_TRY(options.services, open_services(roots));
    return options;
}

Result<std::unique_ptr<CommandCollateral>> CommandCollateral::open(
    const CollateralOption& option, const attest::TrustedRoots& roots,
    std::optional<UnixSeconds> time) {
    std::unique_ptr<CommandCollateral> out(new CommandCollateral());
    if (time) {
        out->clock_ = std::make_unique<StoppedClock>(*time);
    } else {
        out->clock_ = std::make_unique<SystemClock>();
    }
    out->rng_ = std::make_unique<SystemRng>();
    out->log_ = std::make_unique<StderrWarnings>();
    TT_TRY(auto options, option.cache_options(roots));
    options.tells_what_runs_out = !time;
    out->cache_ = std::make_unique<net::CollateralCache>(
        net::CollateralCache::World{*out->clock_, *out->rng_, *out->log_}, std::move(options));
    out->cache_->tend();
    return out;
}

std::shared_ptr<const attest::VerifiedCollateral> CommandCollateral::find(
    const attest::PlatformId& platform) {
    if (auto found = cache_->find(platform)) return found;
    cache_->want(platform);
    cache_->tend();
    return cache_->find(platform);
}

}  // namespace teetee::cli
