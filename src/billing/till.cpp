// SPDX-License-Identifier: Apache-2.0
#include "billing/till.hpp"

#include <algorithm>
#include <utility>

namespace teetee::billing {
namespace {

/// Wallets whose use of the last hour is remembered.
constexpr size_t hosts_max = 4096;
constexpr Duration hour = std::chrono::hours(1);
/// Sets the numbers of requests that have one answer apart from those that are given.
constexpr uint64_t own_request = uint64_t{1} << 63;
/// Behind a failure of the ledger nothing is admitted for so long; then it may be well again.
constexpr Duration ledger_rest = std::chrono::seconds(30);

std::string text(uint64_t value) {
    return std::to_string(value);
}

Credits to_credits(const chain::U256& amount) {
    return amount.to_u64().value_or(UINT64_MAX);
}

Credits saturated_sum(Credits a, Credits b) {
    return a + std::min(b, UINT64_MAX - a);
}

/// The most completion tokens that `credits` cover beside a prompt; nullopt: not even the prompt.
std::optional<uint64_t> tokens_covered(const chain::Prices& prices, uint64_t prompt_tokens,
                                       Credits credits) {
    const auto prompt = price_of(prices, prompt_tokens, 0);
    if (!prompt || *prompt > credits) return std::nullopt;
    if (prices.completion == 0) return UINT64_MAX;
    return (credits - *prompt) / prices.completion;
}

/// What a client has had computed, where it is its doing that it is not charged.
Credits forfeit_of(const chain::Prices& prices, const Delivered& delivered) {
    if (delivered.end != AnswerEnd::by_client) return 0;
    return price_of(prices, delivered.fresh_prompt_tokens(), delivered.completion_tokens)
        .value_or(UINT64_MAX);
}

}  // namespace

Credits Standing::left() const {
    const Credits limit = std::min(signed_amount, claimable);
    const Credits used = saturated_sum(charged, held);
    return limit > used ? limit - used : 0;
}

Result<void> Till::load() {
    TT_TRY(const auto accounts, store_.accounts());
    for (const SpendAccount& account : accounts)
        accounts_[account.signed_spend.voucher] = {.kept = account};
    TT_TRY(const auto queries, store_.queries());
    served_.insert(queries.begin(), queries.end());
    return {};
}

Result<Admission> Till::admit(const chain::MoneyView& view, const Payment& payment,
                              const Demand& demand) {
    const auto prices = view.prices(options_.pool, now());
    // One that is closed opens no vouchers and takes no queries any more; those that are there it
    // serves.
    if (!prices || view.slot_count(options_.pool) == 0)
        return fail(ErrorCode::not_ready, "pool " + text(options_.pool) + " takes no requests");
    if (unwritable_since_ && clock_.now() - *unwritable_since_ < ledger_rest)
        return fail(ErrorCode::not_ready, "the ledger of charges cannot be written just now");
    Hold hold = {.payment = payment,
                 .prices = *prices,
                 .prompt_tokens = demand.prompt_tokens,
                 .tokens_max = demand.tokens_max,
                 .request = demand.request};
    Result<Hold> admitted = hold;
    if (const auto* voucher = std::get_if<VoucherPayment>(&payment)) {
        admitted = admit_voucher(view, *voucher, demand, std::move(hold));
    } else if (const auto* keyed = std::get_if<KeyedVoucher>(&payment)) {
        admitted = admit_keyed(view, *keyed, demand, std::move(hold));
    } else if (const auto* query = std::get_if<QueryPayment>(&payment)) {
        admitted = admit_query(view, *query, demand, std::move(hold));
    } else {
        admitted = admit_host(view, std::get<HostUse>(payment), std::move(hold));
    }
    if (!admitted) return admitted.error();
    const uint64_t id = next_hold_++;
    const uint32_t tokens_max = admitted->tokens_max;
    admitted->is_short = tokens_max < demand.tokens_max;
    holds_.emplace(id, std::move(*admitted));
    return Admission{.hold = id, .tokens_max = tokens_max};
}

Credits Till::claimable(const chain::VoucherRecord& voucher) const {
    const auto claim = voucher.claims.find(options_.entry);
    const Credits claimed = claim == voucher.claims.end() ? 0 : to_credits(claim->second.claimed);
    return saturated_sum(claimed, to_credits(voucher.remaining));
}

Result<Till::Account*> Till::take_spend(const chain::MoneyView& view, const SignedSpend& spend) {
    const auto voucher = view.voucher(spend.voucher, now());
    if (!voucher) {
        const bool is_known = accounts_.contains(spend.voucher);
        return fail(is_known ? ErrorCode::voucher_ended : ErrorCode::voucher_unknown,
                    "voucher 0x" + to_hex(spend.voucher) +
                        (is_known ? " has ended" : " is not open, or its opening not settled yet"));
    }
    if (voucher->pool != options_.pool) {
        return fail(ErrorCode::voucher_unknown, "the voucher is for pool " + text(voucher->pool) +
                                                    ", this is pool " + text(options_.pool));
    }
    const Digest digest = chain::spend_digest(
        options_.deployment,
        {.voucher = spend.voucher, .entry = options_.entry, .amount = spend.amount});
    const auto signer = crypto::recover_address(digest, spend.signature);
    if (!signer || *signer != voucher->session_key) {
        return fail(ErrorCode::signature_invalid,
                    "the spend is not signed by the voucher's session key for this entry");
    }
    Account& account = accounts_[spend.voucher];
    account.claimable = claimable(*voucher);
    // What is lower shows no more than whose request it is.
    if (account.kept.signed_spend.voucher != spend.voucher ||
        spend.amount > account.kept.signed_spend.amount)
        account.kept.signed_spend = spend;
    return &account;
}

Result<Till::Hold> Till::admit_voucher(const chain::MoneyView& view, const VoucherPayment& payment,
                                       const Demand& demand, Hold hold) {
    TT_TRY(Account* const account, take_spend(view, payment.spend));
    if (!payment.proof) {
        return fail(ErrorCode::payment_malformed,
                    "a voucher pays for a request that its session key signed: need 'time' and "
                    "'request' in TeeTee-Payment");
    }
    const RequestProofs::Request request = {
        .deployment = options_.deployment,
        .terms = {.voucher = payment.spend.voucher,
                  .entry = options_.entry,
                  .body_hash = demand.request_hash,
                  .time_ms = payment.proof->time_ms},
        .session_key = view.voucher(payment.spend.voucher, now())->session_key};
    if (demand.is_first) TT_CHECK(proofs_.check(request, *payment.proof, clock_.unix_now()));
    TT_CHECK(cover(*account, hold, demand));
    if (demand.is_first) proofs_.remember(request, clock_.unix_now());
    return hold;
}

Result<Till::Hold> Till::admit_keyed(const chain::MoneyView& view, const KeyedVoucher& payment,
                                     const Demand& demand, Hold hold) {
    TT_TRY(Account* const account, take_spend(view, payment.spend));
    TT_CHECK(cover(*account, hold, demand));
    // From here on it is a voucher as any other.
    hold.payment = VoucherPayment{.spend = payment.spend};
    return hold;
}

/// Holds the prompt and some tokens out of what is signed; there must be as much for each of the
/// request's answers that are yet to come.
Result<void> Till::cover(Account& account, Hold& hold, const Demand& demand) const {
    const uint32_t lead = std::min(options_.lead_tokens, hold.tokens_max);
    TT_TRY(const Credits need, price_of(hold.prices, hold.prompt_tokens, lead));
    const Standing standing = standing_of(account);
    const Credits others = saturated_sum(standing.charged, standing.held);
    const uint64_t lead_ahead = uint64_t{lead} * demand.answers_ahead;
    TT_TRY(const Credits ahead, price_of(hold.prices, demand.prompt_tokens_ahead, lead_ahead));
    const Credits all = saturated_sum(need, ahead);
    if (all > standing.left()) {
        const Credits sum = saturated_sum(others, all);
        if (sum > standing.claimable) {
            return fail(ErrorCode::voucher_exhausted, "need " + text(sum) +
                                                          " credits of the voucher in all, have " +
                                                          text(standing.claimable));
        }
        return fail(ErrorCode::payment_required, "need " + text(sum) +
                                                     " credits signed for in all, have " +
                                                     text(standing.signed_amount));
    }
    const auto covered = tokens_covered(hold.prices, hold.prompt_tokens,
                                        standing.claimable - std::min(standing.claimable, others));
    hold.tokens_max =
        static_cast<uint32_t>(std::min<uint64_t>(hold.tokens_max, covered.value_or(0)));
    hold.held = need;
    account.held += need;
    ++account.holds;
    return {};
}

Result<Till::Hold> Till::admit_query(const chain::MoneyView& view, const QueryPayment& payment,
                                     const Demand& demand, Hold hold) {
    if (!demand.is_first || demand.answers_ahead > 0)
        return fail(ErrorCode::query_mismatch,
                    "a query pays for one answer, asked for are several");
    const chain::QueryRecord* query = view.query(payment.query, now());
    if (query == nullptr || served_.contains(payment.query)) {
        return fail(ErrorCode::query_unknown,
                    "query " + text(payment.query) +
                        " was served or has ended, or its payment is not settled yet");
    }
    const auto tries = query_tries_.find(payment.query);
    if (tries != query_tries_.end() && tries->second >= options_.query_tries_max) {
        return fail(ErrorCode::query_unknown, "query " + text(payment.query) + " was given up " +
                                                  text(tries->second) + " times: reclaim it");
    }
    if (query->pool != options_.pool || query->entry != options_.entry)
        return fail(ErrorCode::query_mismatch, "the query is paid for another entry");
    if (query->request_hash != demand.request_hash)
        return fail(ErrorCode::query_mismatch, "the query is paid for another request");
    if (hold.prompt_tokens > query->max_prompt_tokens) {
        return fail(ErrorCode::query_mismatch, "the prompt has " + text(hold.prompt_tokens) +
                                                   " tokens, paid for are " +
                                                   text(query->max_prompt_tokens));
    }
    hold.locked = to_credits(query->locked);
    const auto covered = tokens_covered(hold.prices, hold.prompt_tokens, hold.locked);
    const uint64_t tokens_max =
        std::min<uint64_t>({hold.tokens_max, query->max_completion_tokens, covered.value_or(0)});
    if (tokens_max == 0)
        return fail(ErrorCode::query_mismatch, "what the query paid covers no token of an answer");
    if (!serving_.insert(payment.query).second)
        return fail(ErrorCode::payment_in_use, "the query is being served");
    hold.tokens_max = static_cast<uint32_t>(tokens_max);
    return hold;
}

Result<Till::Hold> Till::admit_host(const chain::MoneyView& view, const HostUse& use, Hold hold) {
    if (!view.is_host(options_.pool, use.wallet, now())) {
        return fail(ErrorCode::host_unknown, chain::to_checksum_text(use.wallet) +
                                                 " has no live node in pool " +
                                                 text(options_.pool));
    }
    const Instant time = clock_.now();
    std::erase_if(hosts_, [&](const auto& entry) {
        return entry.second.running.empty() &&
               time - entry.second.hour_began >= std::chrono::hours(1);
    });
    // The next hold's own number, so no other's.
    if (hold.request == 0) hold.request = next_hold_ | own_request;
    if (!hosts_.contains(use.wallet) && hosts_.size() >= hosts_max)
        return fail(ErrorCode::overloaded, "too many hosts use the model just now");
    Host& host = hosts_.try_emplace(use.wallet, Host{.hour_began = time}).first->second;
    if (time - host.hour_began >= std::chrono::hours(1))
        host = {host.running, time, 0, host.under_way};
    const bool is_another = !host.running.contains(hold.request);
    // A request that is being answered is not cut short by what it may come to itself.
    const uint64_t used = host.tokens + (is_another ? host.under_way : 0);
    if ((is_another && host.running.size() >= options_.host_requests_max) ||
        used >= options_.host_tokens_per_hour) {
        return fail(ErrorCode::overloaded,
                    "a host's free use is " + text(options_.host_requests_max) +
                        " requests at a time and " + text(options_.host_tokens_per_hour) +
                        " tokens an hour");
    }
    ++host.running[hold.request];
    host.under_way += hold.tokens_at_most();
    return hold;
}

Result<Standing> Till::raise(const chain::MoneyView& view, const SignedSpend& spend) {
    TT_TRY(const Account* account, take_spend(view, spend));
    return standing_of(*account);
}

void Till::on_view(const chain::MoneyView& view) {
    for (auto& [voucher, account] : accounts_) {
        if (account.holds == 0) continue;
        const auto record = view.voucher(voucher, now());
        // One that ends while an answer is under way is paid for some days yet.
        if (record) account.claimable = claimable(*record);
    }
}

Credits Till::held() const {
    Credits out = 0;
    for (const auto& [voucher, account] : accounts_) out += account.held;
    return out;
}

size_t Till::open_vouchers(const chain::MoneyView& view) const {
    return static_cast<size_t>(std::ranges::count_if(accounts_, [&](const auto& known) {
        return view.voucher(known.first, now()).has_value();
    }));
}

bool Till::may_go_on(uint64_t hold_id, uint32_t completion_tokens) {
    const auto found = holds_.find(hold_id);
    if (found == holds_.end()) return false;
    Hold& hold = found->second;
    if (completion_tokens >= hold.tokens_max) return !hold.is_short;
    const auto* spend = std::get_if<VoucherPayment>(&hold.payment);
    if (spend == nullptr) return true;
    const auto want = price_of(hold.prices, hold.prompt_tokens, completion_tokens + 1ull);
    if (!want) return false;
    if (*want <= hold.held) return true;
    Account& account = accounts_.at(spend->spend.voucher);
    const Credits more = *want - hold.held;
    if (more > standing_of(account).left()) return false;
    hold.held += more;
    account.held += more;
    return true;
}

Standing Till::standing_of(const Account& account) const {
    return {.charged = account.kept.charged,
            .held = saturated_sum(account.held, forfeited(account)),
            .signed_amount = account.kept.signed_spend.amount,
            .claimable = account.claimable};
}

std::optional<Standing> Till::standing(uint64_t hold) const {
    const auto found = holds_.find(hold);
    if (found == holds_.end()) return std::nullopt;
    const auto* spend = std::get_if<VoucherPayment>(&found->second.payment);
    if (spend == nullptr) return std::nullopt;
    return standing(spend->spend.voucher);
}

std::optional<Standing> Till::standing(const Digest& voucher) const {
    const auto found = accounts_.find(voucher);
    if (found == accounts_.end()) return std::nullopt;
    return standing_of(found->second);
}

std::optional<Bill> Till::bill_for(uint64_t hold_id, const Delivered& delivered) const {
    const auto found = holds_.find(hold_id);
    if (found == holds_.end()) return std::nullopt;
    const Hold& hold = found->second;
    const auto* spend = std::get_if<VoucherPayment>(&hold.payment);
    const auto* query = std::get_if<QueryPayment>(&hold.payment);
    if (spend == nullptr && query == nullptr) return std::nullopt;
    const uint64_t sent = delivered.sent_tokens();
    const bool is_by_network = delivered.end == AnswerEnd::by_network;
    // One that can be asked for again is not used up.
    if (query != nullptr && delivered.end != AnswerEnd::regular && (is_by_network || sent == 0))
        return std::nullopt;
    Charge charge = {.prompt_tokens = delivered.fresh_prompt_tokens(),
                     .completion_tokens = delivered.completion_tokens,
                     .charged_at = clock_.unix_now()};
    if (spend != nullptr) charge.voucher = spend->spend.voucher;
    if (query != nullptr) charge.query = query->query;
    const Credits most = spend != nullptr ? hold.held : hold.locked;
    const auto price = price_of(hold.prices, is_by_network ? 0 : charge.prompt_tokens, sent);
    charge.amount = price ? std::min(*price, most) : most;
    if (charge.amount == 0 && query == nullptr) return std::nullopt;
    const attest::ReceiptPayment payment = {.voucher = charge.voucher,
                                            .query = charge.query,
                                            .prompt_price = hold.prices.prompt,
                                            .completion_price = hold.prices.completion,
                                            .charged = charge.amount};
    const Credits all = forfeit_of(hold.prices, delivered);
    return Bill{.charge = std::move(charge),
                .payment = payment,
                .forfeit = all - std::min(all, payment.charged)};
}

Result<void> Till::finish(uint64_t hold_id, const Charge& charge, ByteView receipt,
                          Credits forfeit) {
    const auto found = holds_.find(hold_id);
    if (found == holds_.end()) return fail(ErrorCode::request_unknown, "the till has no such hold");
    Result<void> kept;
    if (charge.query != 0) {
        kept = store_.keep(charge, nullptr, receipt);
        if (kept) served_.insert(charge.query);
        if (kept) query_tries_.erase(charge.query);
    } else {
        Account& account = accounts_.at(charge.voucher);
        SpendAccount next = account.kept;
        next.charged += charge.amount;
        kept = store_.keep(charge, &next, receipt);
        if (kept) account.kept = next;
    }
    if (kept)
        unwritable_since_.reset();
    else
        unwritable_since_ = clock_.now();
    end(found, {}, forfeit);
    return kept;
}

void Till::drop(uint64_t hold, const Delivered& delivered) {
    const auto found = holds_.find(hold);
    if (found == holds_.end()) return;
    end(found, delivered, forfeit_of(found->second.prices, delivered));
}

void Till::forfeit(Account& account, Credits amount) const {
    account.forfeited = forfeited(account);
    if (account.forfeited == 0) account.hour_began = clock_.now();
    account.forfeited = saturated_sum(account.forfeited, amount);
}

Credits Till::forfeited(const Account& account) const {
    return clock_.now() - account.hour_began < hour ? account.forfeited : 0;
}

void Till::end(std::map<uint64_t, Hold>::iterator found, const Delivered& delivered,
               Credits amount) {
    const Hold& hold = found->second;
    if (const auto* spend = std::get_if<VoucherPayment>(&hold.payment)) {
        Account& account = accounts_.at(spend->spend.voucher);
        account.held -= hold.held;
        --account.holds;
        // No more than it had signed for at its beginning.
        forfeit(account, std::min(amount, hold.held));
    } else if (const auto* query = std::get_if<QueryPayment>(&hold.payment)) {
        serving_.erase(query->query);
        if (delivered.end == AnswerEnd::by_client &&
            delivered.prompt_tokens > delivered.cached_tokens)
            ++query_tries_[query->query];
    } else {
        Host& host = hosts_.at(std::get<HostUse>(hold.payment).wallet);
        const auto running = host.running.find(hold.request);
        if (--running->second == 0) host.running.erase(running);
        host.under_way -= hold.tokens_at_most();
        const bool is_by_network = delivered.end == AnswerEnd::by_network;
        host.tokens += is_by_network
                           ? delivered.sent_tokens()
                           : delivered.fresh_prompt_tokens() + delivered.completion_tokens;
    }
    holds_.erase(found);
}

}  // namespace teetee::billing
