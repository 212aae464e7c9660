// SPDX-License-Identifier: Apache-2.0
#include "node/money.hpp"

#include <cstdlib>
#include <utility>

namespace teetee::node {
namespace {

constexpr Duration tick_interval = std::chrono::seconds(1);
/// Sums over a ledger take one part in so many of the time.
constexpr int64_t sums_share = 200;

Money::Options completed(Money::Options options, const ChainClient& chain) {
    const chain::Deployment deployment = chain.deployment();
    options.till.deployment = options.settler.deployment = deployment;
    options.till.pool = options.settler.pool = options.pool;
    options.till.entry = options.settler.entry = options.entry;
    return options;
}

std::optional<double> wei(const std::optional<chain::U256>& value) {
    if (!value) return std::nullopt;
    return std::strtod(value->to_decimal().c_str(), nullptr);
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
    // Operators want to see it, whether settlements depend on it or not.
    gas_.look();
    if (options_.settler.gas_percent > 0) settler_.set_gas(gas_.terms());
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

MoneyReport::Till Money::report() {
    reported_.answers_held = till_.holds();
    reported_.credits_held = till_.held();
    reported_.settlements = settler_.settlements();
    reported_.settled_at = settled_at_;
    reported_.settlements_announced = settler_.announced();
    reported_.wallet_wei = wei(gas_.balance());
    const auto terms = gas_.terms();
    reported_.gas_price_wei = terms ? wei(terms->gas_price) : std::nullopt;
    const Instant began = world_.clock.now();
    if (began < reported_until_) return reported_;
    const auto totals = ledger_->totals();
    reported_.totals = totals ? std::optional(*totals) : std::nullopt;
    const auto view = chain_.money();
    reported_.vouchers_open = view ? std::optional(till_.open_vouchers(*view)) : std::nullopt;
    const Instant ended = world_.clock.now();
    reported_until_ = ended + sums_share * (ended - began);
    return reported_;
}

void Money::carry_out(Result<void> done, billing::SettlerEffects effects) {
    if (std::exchange(settlements_, settler_.settlements()) != settler_.settlements())
        settled_at_ = world_.clock.unix_now();
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
