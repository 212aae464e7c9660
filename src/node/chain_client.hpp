// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "chain/bindings/tee_tee.hpp"
#include "chain/chain_view.hpp"
#include "chain/rpc_calls.hpp"
#include "chain/sender.hpp"
#include "chain/typed_data.hpp"
#include "net/http_channel.hpp"
#include "node/chain_store.hpp"

namespace teetee::node {

struct ChainEndpoint {
    std::string url;
    net::HttpHeaders headers{};
    /// For https; nullopt: the system's roots.
    std::optional<net::WebPki> web_pki{};
};

/// Carries out what chain::ChainView and chain::Sender want: over one kept connection to each
/// endpoint, with real time, and with files for what must outlive the process. Lives on the loop's
/// thread.
class ChainClient {
  public:
    struct World {
        net::Loop& loop;
        const Clock& clock;
        Log& log;
    };
    struct Options {
        std::vector<ChainEndpoint> endpoints{};
        /// Its panel says which chain; the count of endpoints is filled in.
        chain::ChainViewOptions view{};
        /// Likewise, the panel being the view's.
        chain::SenderOptions sender{};
        /// Of ChainStore.
        std::string folder{};
        /// Of one call.
        Duration call_time_max = std::chrono::seconds(15);
    };
    struct Hooks {
        /// What the view knows, or says of itself, is another than before.
        std::function<void()> on_change{};
        std::function<void(const chain::SendOutcome&)> on_outcome{};
    };

    /// Without a key nothing is sent; it MUST outlive the client. Errors: config_invalid, those of
    /// HttpChannel::build, ChainStore and Sender::restore.
    static Result<std::unique_ptr<ChainClient>> start(const World& world, Options options,
                                                      const crypto::SecpKey* key, Hooks hooks);
    ~ChainClient();

    const chain::ChainView& view() const { return view_; }
    chain::Deployment deployment() const {
        return {options_.view.panel.chain_id, options_.view.contract};
    }
    Result<chain::MoneyView> money() const { return view_.money(world_.clock.now()); }
    /// nullptr without a key.
    const chain::Sender* sender() const { return sender_.get(); }
    /// Why transactions that are to be sent, or were, do not come into the chain; nullopt while
    /// they do, or there are none.
    const std::optional<Error>& sender_trouble() const { return sender_trouble_; }

    /// Errors: of Sender::submit; config_invalid without a key.
    Result<void> submit(chain::SendIntent intent);
    bool cancel(std::string_view key);
    /// Asks one endpoint, outside of view and sender; nobody else confirms what it says.
    using Done = std::function<void(Result<chain::RpcAnswer>)>;
    void ask(const chain::RpcCall& call, Done done);
    /// Wei per gas in the next block, with the tip; asked likewise. Errors: of the call and of
    /// chain::price_of_gas.
    void ask_gas_price(std::function<void(Result<chain::U256>)> done);
    /// As whom a function of the contract is called, and how much gas it may take.
    struct Caller {
        chain::Address account{};
        uint64_t gas = 0;
    };
    /// What a function of the contract says; asked likewise. One that a transaction may call is
    /// given the transaction's sender and gas, so that it says what that would. Errors: of the
    /// call, of encoding and decoding.
    template <class Call>
    void ask_contract(const Call& call, std::function<void(Result<typename Call::Reply>)> done,
                      const std::optional<Caller>& caller = std::nullopt) {
        auto data = call.encode();
        if (!data) return done(data.error());
        chain::CallMessage message = {.to = options_.view.contract, .data = std::move(*data)};
        if (caller) {
            message.from = caller->account;
            message.gas = caller->gas;
        }
        ask(chain::call_contract(message, chain::BlockTag::latest()),
            [done = std::move(done)](Result<chain::RpcAnswer> answer) {
                const auto reply = data_of(std::move(answer));
                done(reply ? Call::decode_reply(*reply) : reply.error());
            });
    }

  private:
    ChainClient(const World& world, Options options, Hooks hooks);
    Result<void> open(const crypto::SecpKey* key);
    void act_on_view(const std::function<void(Instant, chain::ChainViewEffects&)>& act);
    void act_on_sender(const std::function<void(Instant, chain::SenderEffects&)>& act);
    void carry_out(chain::ChainViewEffects effects);
    void carry_out(chain::SenderEffects effects);
    void post(const chain::RpcAsk& ask, Done done);
    void tell_of_view();
    void tell_of_sender();
    static Result<Bytes> data_of(Result<chain::RpcAnswer> answer);

    World world_;
    Options options_;
    Hooks hooks_;
    chain::ChainView view_;
    ChainStore store_;
    std::unique_ptr<chain::Sender> sender_;
    std::vector<std::unique_ptr<net::HttpChannel>> channels_;
    net::Timer view_timer_;
    net::Timer sender_timer_;
    /// What was last logged of the view.
    std::string told_;
    std::optional<Error> sender_trouble_;
    uint64_t next_call_ = 1;
    /// For answers that come when this is gone.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace teetee::node
