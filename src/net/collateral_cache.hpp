// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "attest/collateral_documents.hpp"
#include "attest/collateral_shelf.hpp"
#include "base/world.hpp"
#include "net/file.hpp"
#include "net/pcs_client.hpp"

namespace teetee::net {

struct CollateralCacheOptions {
    /// In which collateral must end.
    attest::TrustedRoots roots;
    /// Every *.json in it is collateral of some platform, whatever its name; what is fetched is
    /// kept there, a file a platform. Empty: no folder. It need not be trusted: what is in it is
    /// verified like any other.
    std::string folder;
    /// Asked in this order; empty: only the folder serves.
    std::vector<PcsClient> services;
    /// How often the folder is looked at.
    Duration poll_time = std::chrono::seconds(30);
    attest::CollateralShelf::Options shelf;
    /// Off where the clock does not show what time it is now.
    bool tells_what_runs_out = true;
};

/// Intel's documents for the platforms of the peers: verified in memory, raw in a folder, fetched
/// and refreshed on a thread of its own. Good collateral is replaced by what is verified, in date
/// and not older; what runs out is told in the log, from a week ahead.
class CollateralCache final : public attest::CollateralSource, public attest::CollateralDocuments {
  public:
    /// Used from two threads.
    struct World {
        const Clock& clock;
        Rng& rng;
        Log& log;
    };
    /// The references MUST outlive this.
    CollateralCache(const World& world, CollateralCacheOptions options);
    ~CollateralCache() override;

    std::shared_ptr<const attest::VerifiedCollateral> find(
        const attest::PlatformId& platform) override;
    void want(const attest::PlatformId& platform) override;
    uint64_t version() const override;
    std::optional<attest::Collateral> documents(const attest::PlatformId& platform) const override;

    /// One round on the calling thread: reads files that have changed, fetches what is due, tells
    /// what runs out. For programs that ask once, and before start.
    void tend(const std::stop_token& stop = {});
    /// Rounds from now on, on a thread of its own.
    void start();

  private:
    void read_folder();
    void read_file_at(const std::string& path);
    void fetch(const attest::PlatformId& platform, const std::stop_token& stop);
    Result<void> fetch_from(const PcsClient& service, const attest::PlatformId& platform,
                            const std::stop_token& stop);
    struct Checked {
        attest::VerifiedCollateral collateral;
        attest::PlatformId platform;
        Digest content{};
        attest::Collateral documents;
    };
    Result<Checked> check(const attest::Collateral& collateral) const;
    /// `origin` goes to the log.
    Result<void> take(Checked checked, const std::string& origin);
    void keep(const attest::PlatformId& platform, const attest::Collateral& collateral);
    void tell(const attest::CollateralNotice& notice);
    /// Until there is something to do, or a stop is requested.
    void rest(const std::stop_token& stop);
    std::string describe_need() const;

    World world_;
    CollateralCacheOptions options_;
    /// What was read, as it was then; of the tending thread.
    std::map<std::string, FileState> seen_;

    mutable std::mutex mutex_;
    std::condition_variable_any woken_;
    bool is_woken_ = false;
    attest::CollateralShelf shelf_;
    /// Of what is on the shelf.
    std::map<attest::PlatformId, attest::Collateral> documents_;
    /// Last, so that it ends before what it uses is gone.
    std::jthread thread_;
};

}  // namespace teetee::net
