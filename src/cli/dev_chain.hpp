// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/world.hpp"
#include "chain/address.hpp"
#include "cli/child_process.hpp"
#include "cli/dev_network.hpp"
#include "net/file.hpp"

namespace teetee::cli {

/// A wallet of the network's own: its key is new at each start and worth nothing elsewhere.
struct DevWallet {
    std::string key;  // 32 bytes in hex
    chain::Address address{};
};

/// The chain of a network on this machine, made of what users have as well: anvil, then
/// contracts/tools/deploy, then this program's own commands as child processes. A host for each
/// shard registers its nodes and renews them; a demo wallet buys credits and opens a voucher.
/// Everything begins anew with each start, since anvil forgets everything when it ends. Its owner
/// calls tick() from time to time; nothing waits.
class DevChain {
  public:
    struct Options {
        /// anvil's program; empty: that of contracts/node_modules beside this program.
        std::string anvil;
        uint16_t port = 0;
        uint16_t network_port = 0;
        size_t shards = 0;
        /// APIs of the entries, which are nodes 0, `shards`, 2 * `shards`, ..
        std::vector<std::string> entry_urls;
        size_t nodes() const { return shards * entry_urls.size(); }
    };

    /// Starts anvil. Errors: not_found where it, or the contracts, are missing; io_failed.
    static Result<std::unique_ptr<DevChain>> start(const DevNetwork& network, Options options,
                                                   const Clock& clock, Log& log);
    /// Removes what an earlier network of the folder had of its chain.
    static Result<void> forget(const DevNetwork& network);

    /// Looks at what has ended and starts what comes next. Error: not_ready, where the chain has
    /// ended or cannot be set up; it names the file that says why.
    Result<void> tick();

    /// Nodes can be started: there is a pool for them.
    bool has_pool() const { return pool_ != 0; }
    /// What node `index` is started with besides: what it needs to serve the pool.
    void put_into(ChildOptions& node, size_t index) const;
    /// Every node is registered, and entries take the demo wallet's voucher.
    bool is_open() const { return is_open_; }

    /// The members rpc_url, contract, pool, deployment, payment.
    void put_into(boost::json::object& ready) const;
    /// For people, of an open chain.
    std::string to_text() const;
    /// A shell script that makes a wallet of the chain the one that commands use: "payer",
    /// "host-1", ..
    std::string wallet_path(const std::string& name) const { return path_of(name + ".sh"); }

    void stop_commands();
    /// No command runs any more.
    bool is_quiet();
    void end_commands();
    /// The chain's own end, when nobody needs it any more.
    void stop() const { anvil_->stop(); }
    bool has_ended();
    void end() { anvil_->end(); }

  private:
    enum class Stage { starting, deploying, offering, serving };
    enum class Purchase { none, credits, voucher, done };

    struct Command {
        std::string name;
        ChildProcess process;
    };

    /// Of one wallet; its commands take turns.
    using Lane = std::optional<Command>;

    struct Node {
        std::string registration_path;
        /// Of the file that was registered, or is being.
        std::optional<net::FileState> handled;
        bool is_registered = false;
        Instant retry_at{};
    };

    struct Host {
        DevWallet wallet;
        Lane lane;
        size_t node = 0;  // that the lane's command is about
    };

    DevChain(const DevNetwork& network, Options options, const Clock& clock, Log& log)
        : network_(network), options_(std::move(options)), clock_(clock), log_(log) {}

    Result<void> open(const std::string& anvil);
    Result<void> make_wallets();
    Result<void> fund();
    std::string rpc_url() const;
    std::string path_of(const std::string& name) const;
    Result<void> run(Lane& lane, const std::string& name, const DevWallet& wallet,
                     std::vector<std::string> arguments) const;
    Result<void> run_own(Lane& lane, const std::string& name, const DevWallet& wallet,
                         std::vector<std::string> arguments) const;
    /// True once, when it has ended well.
    Result<bool> has_done(Lane& lane) const;
    std::vector<Lane*> lanes();

    Result<void> tick_starting();
    Result<void> tick_deploying();
    Result<void> tick_offering();
    Result<void> write_terms() const;
    Result<void> write_environment(const std::string& name, const DevWallet& wallet) const;
    Result<void> tend_host(size_t shard);
    Result<void> begin_registration(Host& host, size_t node);
    Result<void> tend_purchase();
    bool entries_take_voucher() const;

    const DevNetwork& network_;
    Options options_;
    const Clock& clock_;
    Log& log_;
    std::optional<ChildProcess> anvil_;
    Stage stage_ = Stage::starting;
    DevWallet deployer_;
    DevWallet payer_;
    /// Who sends an entry's settlements. Not its host: two processes with one account would take
    /// each other's nonces.
    std::vector<DevWallet> senders_;
    std::vector<Host> hosts_;  // one a shard
    std::vector<Node> nodes_;
    Lane setup_;
    Lane purchase_lane_;
    Purchase purchase_ = Purchase::none;
    Digest voucher_{};
    std::string contract_;
    uint64_t pool_ = 0;
    bool is_open_ = false;
};

}  // namespace teetee::cli
