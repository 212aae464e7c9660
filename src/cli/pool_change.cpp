// SPDX-License-Identifier: Apache-2.0
// What a pool's creator can change, and how it gets another one.
#include <fmt/format.h>

#include "cli/amount_text.hpp"
#include "cli/measurement_option.hpp"
#include "cli/pool.hpp"
#include "cli/pool_text.hpp"
#include "cli/wallet.hpp"
#include "node/policy_file.hpp"

namespace teetee::cli {
namespace {

namespace calls = chain::tee_tee;

struct ChangeOptions : WalletOptions {
    uint64_t pool = 0;
};
struct PricesOptions : ChangeOptions {
    std::string prices;
};
struct PolicyOptions : ChangeOptions {
    std::string policy;
    std::string policy_uri;
};
struct MeasurementOptions : ChangeOptions {
    MeasurementOption code;
};
struct OfferOptions : ChangeOptions {
    std::string heir;
};

/// A change and how it is told.
struct Change {
    /// Behind "pool": "prices 2,5". The same words for the same change.
    std::string words;
    std::string summary;
    Result<Bytes> data;
    /// What is so afterwards.
    std::string done;
    boost::json::object details{};
};

// The contract checks who may; said here, it costs no look at a transaction that must fail.
Result<void> ensure_creator(const Wallet& wallet, uint64_t id, const chain::Address& may) {
    if (may == wallet.account()) return {};
    return fail(ErrorCode::call_reverted, fmt::format("have wallet {}, need {} for pool {}",
                                                      chain::to_checksum_text(wallet.account()),
                                                      chain::to_checksum_text(may), id));
}

enum class Who { creator, heir };

Result<void> apply(const ChangeOptions& options, Session& session, Change change,
                   Who who = Who::creator) {
    TT_TRY(const auto wallet, Wallet::open(options));
    TT_TRY(const bool is_begun,
           wallet->is_begun(fmt::format("pool {} {}", options.pool, change.words)));
    const chain::PoolRecord* pool = wallet->chain().state().pool(options.pool);
    if (pool == nullptr) {
        return fail(ErrorCode::call_reverted,
                    fmt::format("there is no pool {}: teetee pool list", options.pool));
    }
    if (!is_begun) {
        TT_CHECK(ensure_creator(*wallet, options.pool,
                                who == Who::creator ? pool->creator : pool->next_creator));
    }
    Order order{.summary = fmt::format("{} of pool {}", change.summary, options.pool)};
    TT_TRY(order.data, std::move(change.data));
    TT_TRY(const auto paid, wallet->pay(order, session));
    if (!paid) return {};
    change.details["pool"] = options.pool;
    wallet->tell(*paid, fmt::format("pool {}: {}", options.pool, change.done),
                 std::move(change.details), session);
    return {};
}

Result<void> announce_prices(const PricesOptions& options, Session& session) {
    TT_TRY(const chain::Prices prices, parse_prices(options.prices));
    const calls::AnnouncePricesCall call{
        .id = options.pool, .prices = {.prompt = prices.prompt, .completion = prices.completion}};
    const std::string words = fmt::format("prices {},{}", prices.prompt, prices.completion);
    return apply(
        options, session,
        {.words = words,
         .summary = fmt::format("announce {} and {} credits a token as prices", prices.prompt,
                                prices.completion),
         .data = call.encode(),
         .done = fmt::format("a prompt token takes {} credits and a completion token {} "
                             "from an hour after the transaction",
                             prices.prompt, prices.completion),
         .details = {{"prices", {{"prompt", prices.prompt}, {"completion", prices.completion}}}}});
}

Result<void> announce_policy(const PolicyOptions& options, Session& session) {
    TT_TRY(const auto policy, node::PolicyFile::load(options.policy));
    const std::string hash = "0x" + to_hex(policy.hash);
    const calls::AnnouncePolicyCall call{
        .id = options.pool, .policy_hash = policy.hash, .policy_uri = options.policy_uri};
    return apply(options, session,
                 {.words = "policy " + hash + " " + options.policy_uri,
                  .summary = "announce the policy " + hash,
                  .data = call.encode(),
                  .done = "the policy is " + hash + " from a day after the transaction",
                  .details = {{"policy_hash", hash}}});
}

Result<Digest> one_measurement(const MeasurementOptions& options) {
    TT_TRY(const auto measurements, options.code.resolve());
    if (measurements.size() == 1) return measurements.front();
    return fail(ErrorCode::invalid_argument, "need one --measurement or one --quote");
}

Result<void> accept(const MeasurementOptions& options, Session& session) {
    TT_TRY(const Digest measurement, one_measurement(options));
    const std::string hex = "0x" + to_hex(measurement);
    const calls::AcceptMeasurementCall call{.id = options.pool, .measurement = measurement};
    return apply(options, session,
                 {.words = "measurement accept " + hex,
                  .summary = "let code " + hex + " serve slots",
                  .data = call.encode(),
                  .done = "code " + hex + " may register from a day after the transaction",
                  .details = {{"measurement", hex}}});
}

Result<void> revoke(const MeasurementOptions& options, Session& session) {
    TT_TRY(const Digest measurement, one_measurement(options));
    const std::string hex = "0x" + to_hex(measurement);
    const calls::RevokeMeasurementCall call{.id = options.pool, .measurement = measurement};
    return apply(options, session,
                 {.words = "measurement revoke " + hex,
                  .summary = "shut out, for good, code " + hex,
                  .data = call.encode(),
                  .done = "code " + hex + " is revoked; its nodes are no longer live",
                  .details = {{"measurement", hex}}});
}

Result<void> close(const ChangeOptions& options, Session& session) {
    return apply(options, session,
                 {.words = "close",
                  .summary = "end, for good, new nodes and vouchers",
                  .data = calls::ClosePoolCall{.id = options.pool}.encode(),
                  .done = "closed"});
}

Result<void> offer(const OfferOptions& options, Session& session) {
    TT_TRY(const auto heir, parse_account(options.heir, "address"));
    const std::string whom = chain::to_checksum_text(heir);
    const calls::OfferPoolCall call{.id = options.pool, .next_creator = heir};
    return apply(options, session,
                 {.words = "offer " + whom,
                  .summary = "offer " + whom + " the ownership",
                  .data = call.encode(),
                  .done = "offered to " + whom + ", who can take it",
                  .details = {{"next_creator", whom}}});
}

Result<void> take(const ChangeOptions& options, Session& session) {
    return apply(options, session,
                 {.words = "take",
                  .summary = "become the creator",
                  .data = calls::TakePoolCall{.id = options.pool}.encode(),
                  .done = "this wallet is the creator"},
                 Who::heir);
}

template <class Options>
CLI::App* add_change(CLI::App& group, Session& session, const std::string& name,
                     const std::string& summary, const std::shared_ptr<Options>& options,
                     Result<void> (*body)(const Options&, Session&)) {
    CLI::App* command = add_command(group, session, name, summary, options, body);
    command->add_option("pool", options->pool, "The pool's number")->required();
    return command;
}

void add_measurement(CLI::App& pool, Session& session) {
    CLI::App* group = pool.add_subcommand("measurement", "Which code may serve the pool's slots");
    group->require_subcommand(1);
    auto accept_options = std::make_shared<MeasurementOptions>();
    CLI::App* command = add_change(*group, session, "accept", "Let code register, a day from now",
                                   accept_options, accept);
    accept_options->code.add_to(*command);
    accept_options->add_to(*command);
    auto revoke_options = std::make_shared<MeasurementOptions>();
    command = add_change(*group, session, "revoke", "Shut code out, at once and for good",
                         revoke_options, revoke);
    revoke_options->code.add_to(*command);
    revoke_options->add_to(*command);
}

}  // namespace

void add_pool_changes(CLI::App& pool, Session& session) {
    auto prices_options = std::make_shared<PricesOptions>();
    CLI::App* command = add_change(pool, session, "prices", "Announce prices, an hour ahead",
                                   prices_options, announce_prices);
    command->add_option("prices", prices_options->prices, "As of 'create': 2,5")->required();
    prices_options->add_to(*command);

    auto policy_options = std::make_shared<PolicyOptions>();
    command = add_change(pool, session, "policy", "Announce a policy, a day ahead", policy_options,
                         announce_policy);
    command->add_option("--policy", policy_options->policy, "The policy file")->required();
    command->add_option("--policy-uri", policy_options->policy_uri, "Where others find it");
    policy_options->add_to(*command);

    add_measurement(pool, session);

    auto close_options = std::make_shared<ChangeOptions>();
    command = add_change(pool, session, "close", "Take no new nodes and vouchers, for good",
                         close_options, close);
    close_options->add_to(*command);

    auto offer_options = std::make_shared<OfferOptions>();
    command =
        add_change(pool, session, "offer", "Offer a pool to another creator", offer_options, offer);
    command->add_option("address", offer_options->heir, "Who may take it")->required();
    offer_options->add_to(*command);

    auto take_options = std::make_shared<ChangeOptions>();
    command = add_change(pool, session, "take", "Take a pool that was offered", take_options, take);
    take_options->add_to(*command);
}

}  // namespace teetee::cli
