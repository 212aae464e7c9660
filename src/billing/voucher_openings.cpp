// SPDX-License-Identifier: Apache-2.0
#include "billing/voucher_openings.hpp"

#include <algorithm>

namespace teetee::billing {
namespace {

constexpr std::string_view key_word = "open voucher ";

/// How long it is remembered what became of one.
constexpr Duration memory = std::chrono::hours(1);

/// So many in any hour, half of them at once.
Rate hourly(uint32_t count) {
    const uint32_t half = std::max(1u, count / 2);
    return {.burst = half, .interval = Duration(std::chrono::hours(1)) / half};
}

/// As typed data has the member's name.
Error field(std::string_view name, const std::string& need) {
    return fail(ErrorCode::field_invalid, "'" + std::string(name) + "' " + need);
}

}  // namespace

std::optional<Credits> VoucherOpenings::ceiling_min(const std::optional<GasTerms>& gas) const {
    if (options_.ceiling_min != 0) return options_.ceiling_min;
    if (!gas) return std::nullopt;
    const auto least = [&]() -> Result<chain::U256> {
        TT_TRY(const auto cost, gas->gas_price.times(voucher_gas));
        TT_TRY(const auto hundredths, cost.times(100));
        TT_TRY(const auto share, gas->wei_per_credit.times(options_.gas_percent));
        TT_TRY(const auto credits, hundredths.divided_by(share));
        return credits.quotient.plus(1);
    }();
    return least ? least->to_u64() : std::nullopt;
}

Result<std::optional<VoucherState>> VoucherOpenings::state_of(const SignedVoucher& asked,
                                                              const chain::MoneyView& view,
                                                              uint64_t unix_now) const {
    if (asked.voucher.pool != options_.pool)
        return field("pool",
                     "must be " + std::to_string(options_.pool) + ", which this entry serves");
    const Digest id = id_of(asked);
    if (view.voucher(id, unix_now)) return std::optional(VoucherState::open);
    if (view.has_voucher(id))
        return fail(ErrorCode::voucher_ended,
                    "voucher 0x" + to_hex(id) + " was opened and has ended");
    // Whoever has sent that.
    if (view.has_seen_voucher(id)) return std::optional(VoucherState::opening);
    const auto found = openings_.find(id);
    if (found == openings_.end()) return std::optional<VoucherState>();
    const Opening& opening = found->second;
    // What was in a block that is seen without it has been taken away with that.
    const bool is_ahead = opening.stage == Stage::sent && view.latest_block() < opening.block;
    const bool is_on_its_way = opening.stage == Stage::looking || opening.stage == Stage::sending;
    return is_on_its_way || is_ahead ? std::optional(VoucherState::opening) : std::nullopt;
}

std::string VoucherOpenings::key_beginning(const Digest& id) {
    return std::string(key_word) + "0x" + to_hex(id) + " ";
}

Result<void> VoucherOpenings::ensure_wanted(uint64_t unix_now, const SignedVoucher& asked,
                                            const chain::MoneyView& view,
                                            const Wallet& wallet) const {
    const chain::tee_tee::Voucher& voucher = asked.voucher;
    if (voucher.session_key == crypto::Address{}) return field("session_key", "must not be zero");
    const auto ceiling = voucher.ceiling.to_u64();
    if (!ceiling) return field("ceiling", "must be below 2^64 credits");
    if (voucher.expiry < unix_now + voucher_life_s_min)
        return field("expiry", "must be ten minutes from now or later");
    if (voucher.expiry > unix_now + voucher_life_s_max)
        return field("expiry", "must be within thirty days from now");
    if (view.open_pool(options_.pool) == nullptr)
        return field("pool", "names one that takes no vouchers any more");
    const auto least = ceiling_min(wallet.gas);
    if (!least) return fail(ErrorCode::rpc_unavailable, "vouchers: what gas costs is not known");
    if (*ceiling < *least) {
        return field("ceiling",
                     "must be " + std::to_string(*least) +
                         " credits or more, for this entry to pay the gas of opening it");
    }
    const chain::U256 balance = view.balance(voucher.payer);
    if (balance < voucher.ceiling) {
        return fail(ErrorCode::payment_required, "the payer has " + balance.to_decimal() +
                                                     " credits that are settled, need " +
                                                     std::to_string(*ceiling));
    }
    return ensure_affordable(wallet);
}

/// What is left must do for settlements: they are how this entry and its nodes are paid.
Result<void> VoucherOpenings::ensure_affordable(const Wallet& wallet) const {
    if (!wallet.gas || !wallet.balance)
        return fail(ErrorCode::rpc_unavailable, "vouchers: what there is for gas is not known");
    const uint64_t reserve =
        options_.settlements_reserved * settlement_gas(reserved_claims, reserved_nodes);
    const uint64_t gas = voucher_gas_max * (unpaid(wallet.balance_at) + 1) + reserve;
    // Transactions offer twice the base fee.
    const auto cost = wallet.gas->gas_price.times(2 * gas);
    if (cost && *wallet.balance >= *cost) return {};
    return fail(ErrorCode::fee_too_high,
                "vouchers: the wallet has " + wallet.balance->to_decimal() + " wei, need " +
                    (cost ? cost->to_decimal() : "more") + ", most of it for settlements");
}

/// Openings whose gas may not be out of that balance yet.
size_t VoucherOpenings::unpaid(Instant balance_at) const {
    return static_cast<size_t>(std::ranges::count_if(openings_, [&](const auto& one) {
        const bool is_over = one.second.stage == Stage::sent || one.second.stage == Stage::failed;
        return !is_over || one.second.changed_at >= balance_at;
    }));
}

Result<void> VoucherOpenings::begin(Instant now, uint64_t unix_now, const SignedVoucher& asked,
                                    const chain::MoneyView& view, const Wallet& wallet) {
    forget(now);
    TT_CHECK(ensure_wanted(unix_now, asked, view, wallet));
    const auto is_busy = [&](const auto& one) {
        return one.second.asked.voucher.payer == asked.voucher.payer &&
               (one.second.stage == Stage::looking || one.second.stage == Stage::sending);
    };
    if (std::ranges::any_of(openings_, is_busy))
        return fail(ErrorCode::overloaded, "another voucher of this payer is being opened");
    if (under_way() >= options_.under_way_max)
        return fail(ErrorCode::overloaded, "too many vouchers are being opened");
    // What a contract wallet takes for its signature only its own code says, which may burn gas, or
    // take it when it is asked and refuse it when it is paid for.
    const Digest id = id_of(asked);
    const auto signer = crypto::recover_address(id, asked.signature);
    if (!signer || *signer != asked.voucher.payer) {
        return fail(
            ErrorCode::signature_invalid,
            "the voucher is not signed by its payer's key; a wallet that is a contract opens "
            "its vouchers itself");
    }
    // First the payer's, so that one who is beyond it takes nothing from others.
    if (!payers_[asked.voucher.payer].take(now, hourly(options_.per_hour_of_payer_max))) {
        return fail(ErrorCode::overloaded,
                    "too many vouchers of this payer were asked for in a short time");
    }
    if (!simulations_.take(now, options_.simulations))
        return fail(ErrorCode::overloaded, "too many vouchers are asked for");
    Opening& opening = openings_[id];
    opening.asked = asked;
    opening.stage = Stage::looking;
    opening.changed_at = now;
    return {};
}

Result<chain::SendIntent> VoucherOpenings::send(
    Instant now, const Digest& id, const std::function<bool(std::string_view)>& is_used) {
    const auto found = openings_.find(id);
    if (found == openings_.end())
        return fail(ErrorCode::voucher_unknown, "voucher 0x" + to_hex(id) + " is not being opened");
    Opening& opening = found->second;
    const chain::tee_tee::Voucher& voucher = opening.asked.voucher;
    if (!all_.take(now, hourly(options_.per_hour_max))) {
        openings_.erase(id);
        return fail(ErrorCode::overloaded, "too many vouchers were opened in a short time");
    }
    auto data =
        chain::tee_tee::OpenVoucherCall{.voucher = voucher, .signature_ = opening.asked.signature}
            .encode();
    if (!data) {
        openings_.erase(id);
        return std::move(data).error();
    }
    opening.stage = Stage::sending;
    opening.changed_at = now;
    const std::string beginning = key_beginning(id);
    do {
        opening.key = beginning + std::to_string(opening.attempt++);
    } while (is_used(opening.key));
    return chain::SendIntent{.key = opening.key,
                             .to = options_.deployment.contract,
                             .data = std::move(*data),
                             .gas_limit = voucher_gas_max};
}

void VoucherOpenings::on_outcome(Instant now, const chain::SendOutcome& outcome) {
    if (!outcome.key.starts_with(key_word)) return;
    if (outcome.result)
        ++counts_.opened;
    else
        ++counts_.failed[outcome.result.error().code];
    for (auto& [id, opening] : openings_) {
        if (opening.key != outcome.key || opening.stage != Stage::sending) continue;
        opening.stage = outcome.result ? Stage::sent : Stage::failed;
        opening.changed_at = now;
        if (outcome.result) opening.block = outcome.result->block_number;
    }
}

size_t VoucherOpenings::under_way() const {
    return static_cast<size_t>(std::ranges::count_if(openings_, [](const auto& one) {
        return one.second.stage == Stage::looking || one.second.stage == Stage::sending;
    }));
}

void VoucherOpenings::forget(Instant now) {
    std::erase_if(openings_, [&](const auto& one) {
        const bool is_over = one.second.stage == Stage::sent || one.second.stage == Stage::failed;
        return is_over && now - one.second.changed_at >= memory;
    });
    std::erase_if(payers_, [&](const auto& one) { return one.second.full_at() <= now; });
}

}  // namespace teetee::billing
