// SPDX-License-Identifier: Apache-2.0
#include "cli/pool.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/chain_commands.hpp"
#include "cli/pool_text.hpp"
#include "cli/wallet.hpp"

namespace teetee::cli {
namespace {

struct ListOptions {
    ChainOption chain;
    bool is_all = false;
};

struct ShowOptions {
    ChainOption chain;
    uint64_t pool = 0;
};

PoolSight sight_of(const ChainSession& chain, uint64_t id, const chain::PoolRecord& pool,
                   uint64_t now) {
    return {.id = id,
            .pool = &pool,
            .state = &chain.state(),
            .wei_per_credit = chain.facts().wei_per_credit,
            .now = now};
}

Result<void> list(const ListOptions& options, Session& session) {
    TT_TRY(const auto chain, open_view(options.chain));
    TT_TRY(const uint64_t now, chain->time());
    boost::json::array pools;
    std::string text;
    for (const auto& [id, pool] : chain->state().pools()) {
        if (pool.closed && !options.is_all) continue;
        const PoolSight sight = sight_of(*chain, id, pool, now);
        pools.push_back(pool_json(sight));
        text += pool_line(sight);
    }
    if (session.json) {
        print_json({{"pools", std::move(pools)}});
    } else {
        print_text(text.empty() ? "no pools\n" : text);
    }
    return {};
}

Result<void> show(const ShowOptions& options, Session& session) {
    TT_TRY(const auto chain, open_view(options.chain));
    const chain::PoolRecord* pool = chain->state().pool(options.pool);
    if (pool == nullptr) {
        return fail(ErrorCode::call_reverted,
                    fmt::format("there is no pool {}: have {} (teetee pool list)", options.pool,
                                chain->state().pools().size()));
    }
    TT_TRY(const uint64_t now, chain->time());
    const PoolSight sight = sight_of(*chain, options.pool, *pool, now);
    if (session.json) {
        print_json(pool_json(sight));
    } else {
        print_text(pool_text(sight));
    }
    return {};
}

}  // namespace

void add_pool(CLI::App& app, Session& session) {
    CLI::App* group = app.add_subcommand("pool", "Models on offer: see them, offer one, change it");
    group->require_subcommand(1);
    add_pool_create(*group, session);

    auto list_options = std::make_shared<ListOptions>();
    CLI::App* command =
        add_command(*group, session, "list", "The pools of the contract", list_options, list);
    command->add_flag("--all", list_options->is_all, "Also those that are closed");
    list_options->chain.add_to(*command);

    auto show_options = std::make_shared<ShowOptions>();
    command =
        add_command(*group, session, "show", "A pool, its slots and its nodes", show_options, show);
    command->add_option("pool", show_options->pool, "Its number")->required();
    show_options->chain.add_to(*command);
    add_pool_changes(*group, session);
}

}  // namespace teetee::cli
