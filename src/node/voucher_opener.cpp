// SPDX-License-Identifier: Apache-2.0
#include "node/voucher_opener.hpp"

#include <utility>

namespace teetee::node {

using billing::VoucherState;

void VoucherOpener::open(billing::SignedVoucher asked, Done done) {
    done = [this, done = std::move(done)](Result<VoucherState> state) {
        if (!state) openings_.count_refusal(state.error().code);
        done(std::move(state));
    };
    auto state = begin(asked);
    if (!state) return done(std::move(state).error());
    if (*state) return done(**state);
    const Digest id = openings_.id_of(asked);
    chain_.ask_contract(
        chain::tee_tee::OpenVoucherCall{.voucher = asked.voucher,
                                        .signature_ = std::move(asked.signature)},
        [this, id, done = std::move(done), alive = std::weak_ptr(alive_)](const auto& reply) {
            if (!alive.lock()) return;
            done(begin_sending(id, reply ? Result<Digest>(reply->id) : reply.error()));
        },
        ChainClient::Caller{.account = chain_.sender()->account(),
                            .gas = billing::voucher_gas_max});
}

/// nullopt: it is to be looked at by the contract.
Result<std::optional<VoucherState>> VoucherOpener::begin(const billing::SignedVoucher& asked) {
    TT_TRY(const auto view, chain_.money());
    const auto unix_now = static_cast<uint64_t>(world_.clock.unix_now());
    TT_TRY(const auto state, openings_.state_of(asked, view, unix_now));
    if (state) return state;
    // From before a restart, whatever form of the signature it had.
    const std::string beginning = billing::VoucherOpenings::key_beginning(openings_.id_of(asked));
    if (chain_.sender()->is_pending(beginning)) return std::optional(VoucherState::opening);
    TT_CHECK(openings_.begin(
        world_.clock.now(), unix_now, asked, view,
        {.gas = gas_.terms(), .balance = gas_.balance(), .balance_at = gas_.balance_at()}));
    return std::optional<VoucherState>();
}

Result<VoucherState> VoucherOpener::begin_sending(const Digest& id,
                                                  const Result<Digest>& contract_says) {
    if (contract_says && *contract_says == id) {
        TT_CHECK(submit(id));
        return VoucherState::opening;
    }
    openings_.drop(id);
    if (contract_says) {
        return fail(
            ErrorCode::chain_mismatch,
            "vouchers: the contract has id 0x" + to_hex(*contract_says) + ", need 0x" + to_hex(id));
    }
    if (contract_says.error().code != ErrorCode::call_reverted)
        return fail(ErrorCode::rpc_unavailable, "vouchers: " + contract_says.error().message());
    return fail(ErrorCode::call_reverted,
                "the contract would refuse it: " + contract_says.error().detail);
}

Result<void> VoucherOpener::submit(const Digest& id) {
    TT_TRY(auto intent, openings_.send(world_.clock.now(), id, [this](std::string_view key) {
        return chain_.sender()->knows(key);
    }));
    world_.log.info("money: opening voucher 0x" + to_hex(id) + " for its payer");
    auto submitted = chain_.submit(std::move(intent));
    if (!submitted) openings_.drop(id);
    return submitted;
}

void VoucherOpener::on_outcome(const chain::SendOutcome& outcome) {
    openings_.on_outcome(world_.clock.now(), outcome);
    if (!outcome.result && outcome.key.starts_with("open voucher"))
        world_.log.warn("money: " + outcome.key + ": " + outcome.result.error().message());
}

}  // namespace teetee::node
