// SPDX-License-Identifier: Apache-2.0
#include "node/money.hpp"

#include <utility>

namespace teetee::node {
namespace {

constexpr Duration tick_interval = std::chrono::seconds(1);

Money::Options completed(Money::Options options, const ChainClient& chain) {
    const chain::Deployment deployment = chain.deployment();
    options.till.deployment = options.settler.deployment = deployment;
    options.till.pool = options.settler.pool = options.pool;
    options.till.entry = options.settler.entry = options.entry;
    return options;
}

}  // namespace

Money::Money(const World& world, Options options, ChainClient& chain,
             std::unique_ptr<LedgerFile> ledger, AskToSign ask_to_sign)
    : world_(world),
      options_(completed(std::move(options), chain)),
      chain_(chain),
      ledger_(std::move(ledger)),
      till_(options_.till, *ledger_, world.clock),
      settler_(options_.settler, *ledger_),
      gas_({world.clock, world.log}, options_.gas, chain),
      ask_to_sign_(std::move(ask_to_sign)) {}

Money::~Money() = default;

Result<std::unique_ptr<Money>> Money::start(const World& world, Options options, ChainClient& chain,
                                            AskToSign ask_to_sign) {
    const LedgerFile::Owner owner = {
        .deployment = chain.deployment(), .pool = options.pool, .entry = options.entry};
    TT_TRY(auto ledger, LedgerFile::open(options.folder + "/ledger.sqlite", owner,
                                         options.ledger_key, world.rng));
    std::unique_ptr<Money> out(
        new Money(world, std::move(options), chain, std::move(ledger), std::move(ask_to_sign)));
    TT_CHECK(out->till_.load());
    if (chain.sender() == nullptr) {
        world.log.warn("money: no key to send transactions with; nothing is settled");
        return out;
    }
    TT_CHECK(out->settler_.start(out->resuming_.emplace()));
    out->timer_ = world.loop.call_after(tick_interval, [money = out.get()] { money->tick(); });
    return out;
}

void Money::tick() {
    resume();
    look();
    timer_ = world_.loop.call_after(tick_interval, [this] { tick(); });
}

/// The sender tells at once of what it knows, and that MUST find its way back.
void Money::resume() {
    if (!resuming_) return;
    auto effects = std::move(*resuming_);
    resuming_.reset();
    carry_out({}, std::move(effects));
}

void Money::look() {
    const auto view = chain_.money();
    if (!view || chain_.sender() == nullptr) return;
    if (options_.settler.gas_percent > 0) {
        gas_.look();
        settler_.set_gas(gas_.terms());
    }
    billing::SettlerEffects effects;
    auto done = settler_.on_time(world_.clock.now(), static_cast<uint64_t>(world_.clock.unix_now()),
                                 *view, effects);
    carry_out(std::move(done), std::move(effects));
}

void Money::settle_now() {
    settler_.hurry();
    look();
}

void Money::on_chain() {
    if (const auto view = chain_.money()) till_.on_view(*view);
    look();
}

void Money::on_outcome(const chain::SendOutcome& outcome) {
    settler_.on_outcome(world_.clock.now(), outcome);
}

void Money::carry_out(Result<void> done, billing::SettlerEffects effects) {
    std::string trouble = done ? "" : done.error().message();
    if (trouble != told_ && !trouble.empty()) world_.log.error("money: " + trouble);
    told_ = std::move(trouble);
    for (const std::string& note : effects.notes) world_.log.info("money: " + note);
    for (chain::SendIntent& intent : effects.submits) {
        const std::string key = intent.key;
        auto submitted = chain_.submit(std::move(intent));
        if (submitted) continue;
        world_.log.error("money: a settlement is not sent: " + submitted.error().message());
        on_outcome({key, submitted.error()});
    }
    if (!effects.order) return;
    const uint64_t number = effects.order->number;
    ask_to_sign_(*effects.order,
                 [this, number, alive = std::weak_ptr(alive_)](const billing::SignReply& reply) {
                     if (!alive.lock()) return;
                     billing::SettlerEffects next;
                     auto taken = settler_.on_signed(world_.clock.now(),
                                                     static_cast<uint64_t>(world_.clock.unix_now()),
                                                     number, reply, next);
                     carry_out(std::move(taken), std::move(next));
                 });
}

}  // namespace teetee::node
