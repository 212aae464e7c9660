// SPDX-License-Identifier: Apache-2.0
#include "billing/till.hpp"

#include "billing/test_world.hpp"

namespace teetee::billing {
namespace {

using namespace test;

class till : public testing::Test {
  protected:
    ErrorCode admit_error(const Payment& payment, Demand demand = {10, 100, {}}) {
        auto admitted = desk.admit(contract.view(), payment, demand);
        return admitted ? ErrorCode{} : admitted.error().code;
    }
    Admission admit(const Payment& payment, Demand demand = {10, 100, {}}) {
        auto admitted = desk.admit(contract.view(), payment, demand);
        EXPECT_TRUE(admitted) << admitted.error().message();
        return std::move(admitted).value_or(Admission{});
    }
    std::optional<Charge> charge_for(uint64_t hold, const Delivered& delivered) {
        auto bill = desk.bill_for(hold, delivered);
        if (!bill) return std::nullopt;
        EXPECT_EQ(bill->payment.charged, bill->charge.amount);
        return bill->charge;
    }
    /// For a request that nobody made before.
    VoucherPayment pay(Credits amount, const Digest& voucher = chain::test_voucher,
                       uint8_t key = 5) {
        const chain::RequestTerms terms = {
            .voucher = voucher,
            .entry = entry,
            .time_ms = static_cast<uint64_t>(clock.unix_now()) * 1000 + ++requests};
        return {spend(amount, voucher, key),
                RequestProof{terms.time_ms, session_key(key).sign_recoverable(
                                                chain::request_digest(deployment, terms))}};
    }
    Standing standing() { return desk.standing(chain::test_voucher).value_or(Standing{}); }

    Contract contract;
    MemoryLedger ledger;
    TestClock clock;
    TillOptions options = {.deployment = deployment,
                           .pool = 1,
                           .entry = entry,
                           .lead_tokens = 4,
                           .host_requests_max = 2,
                           .host_tokens_per_hour = 100};
    Till desk{options, ledger, clock};
    uint64_t requests = 0;
};

TEST_F(till, charges_what_was_delivered_at_the_prices_of_its_beginning) {
    contract.open_voucher(1000);
    const Admission admission = admit(pay(200));
    EXPECT_EQ(admission.tokens_max, 100u);
    contract.apply(chain::prices_announced({7, 7}, clock.time));
    // 10 prompt tokens, 4 of them cached, and 3 of the answer.
    const auto charge = charge_for(admission.hold, {10, 4, 3});
    ASSERT_TRUE(charge);
    EXPECT_EQ(charge->amount, 6u * 2 + 3 * 5);
    EXPECT_EQ(charge->prompt_tokens, 6u);
    EXPECT_EQ(charge->voucher, chain::test_voucher);
    ASSERT_TRUE(desk.finish(admission.hold, *charge, {}));
    EXPECT_EQ(standing().charged, 27u);
    EXPECT_EQ(standing().held, 0u);
    EXPECT_EQ(desk.holds(), 0u);
    EXPECT_EQ(ledger.kept_accounts.at(chain::test_voucher).charged, 27u);
    EXPECT_EQ(ledger.kept_accounts.at(chain::test_voucher).signed_spend, spend(200));
}

TEST_F(till, wants_the_prompt_and_a_lead_signed_for) {
    contract.open_voucher(1000);
    EXPECT_EQ(admit_error(pay(10 * 2 + 4 * 5 - 1)), ErrorCode::payment_required);
    const auto refused = desk.admit(contract.view(), pay(39), {10, 100, {}});
    EXPECT_EQ(refused.error().detail, "need 40 credits signed for in all, have 39");
    EXPECT_NE(admit(pay(40)).hold, 0u);
    // What is held for one answer is no other's.
    EXPECT_EQ(admit_error(pay(40)), ErrorCode::payment_required);
    EXPECT_NE(admit(pay(80)).hold, 0u);
}

TEST_F(till, several_answers_to_one_request_need_what_all_of_them_do) {
    contract.open_voucher(1000);
    const auto nth = [](uint32_t index) {
        return Demand{.prompt_tokens = 10,
                      .tokens_max = 100,
                      .is_first = index == 0,
                      .answers_ahead = 1 - index,
                      .prompt_tokens_ahead = index == 0 ? 10u : 0u};
    };
    const auto refused = desk.admit(contract.view(), pay(79), nth(0));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail, "need 80 credits signed for in all, have 79");
    const Payment payment = pay(80);
    EXPECT_NE(admit(payment, nth(0)).hold, 0u);
    // The request is one, and shown to be its payer's once.
    EXPECT_NE(admit(payment, nth(1)).hold, 0u);
    EXPECT_EQ(standing().held, 80u);
    EXPECT_EQ(admit_error(payment, nth(0)), ErrorCode::payment_in_use);
    EXPECT_EQ(admit_error(QueryPayment{1}, nth(0)), ErrorCode::query_mismatch);
}

TEST_F(till, answers_yet_to_come_need_what_their_own_prompts_do) {
    contract.open_voucher(5000);
    // 500 tokens of a prompt, then nine of one token; four tokens of each answer.
    const Credits need = 500 * 2 + 9 * 2 + 10 * 4 * 5;
    const Demand first = {
        .prompt_tokens = 500, .tokens_max = 100, .answers_ahead = 9, .prompt_tokens_ahead = 9};
    EXPECT_EQ(admit_error(pay(need - 1), first), ErrorCode::payment_required);
    EXPECT_NE(admit(pay(need), first).hold, 0u);
}

TEST_F(till, the_answers_to_a_hosts_request_are_one_request) {
    const Payment host = HostUse{chain::test_host};
    const auto demand = [](uint64_t request) {
        return Demand{.prompt_tokens = 1, .tokens_max = 1, .request = request};
    };
    std::vector<uint64_t> holds;
    for (uint64_t request = 1; request <= 2; ++request) {
        for (int i = 0; i < 5; ++i) holds.push_back(admit(host, demand(request)).hold);
    }
    EXPECT_EQ(admit_error(host, demand(3)), ErrorCode::overloaded);
    EXPECT_EQ(admit_error(host, demand(0)), ErrorCode::overloaded);
    // It is over when all of its answers are.
    for (size_t i = 0; i < 4; ++i) desk.drop(holds[i]);
    EXPECT_EQ(admit_error(host, demand(0)), ErrorCode::overloaded);
    desk.drop(holds[4]);
    EXPECT_NE(admit(host, demand(0)).hold, 0u);
    EXPECT_EQ(admit_error(host, demand(0)), ErrorCode::overloaded);
}

TEST_F(till, an_answer_goes_on_as_far_as_is_signed_for) {
    contract.open_voucher(1000);
    const Admission admission = admit(pay(40));
    EXPECT_TRUE(desk.may_go_on(admission.hold, 3));
    EXPECT_FALSE(desk.may_go_on(admission.hold, 4));
    ASSERT_TRUE(desk.raise(contract.view(), spend(50)));
    EXPECT_TRUE(desk.may_go_on(admission.hold, 4));
    EXPECT_TRUE(desk.may_go_on(admission.hold, 5));
    EXPECT_FALSE(desk.may_go_on(admission.hold, 6));
    EXPECT_EQ(standing().held, 50u);
    EXPECT_EQ(standing().left(), 0u);
}

TEST_F(till, an_answer_stops_at_the_ceiling) {
    contract.open_voucher(60);
    // 20 for the prompt, 8 tokens for the rest, whatever is signed.
    const Admission admission = admit(pay(1'000'000));
    EXPECT_EQ(admission.tokens_max, 8u);
    EXPECT_TRUE(desk.may_go_on(admission.hold, 7));
    EXPECT_FALSE(desk.may_go_on(admission.hold, 8));
    EXPECT_EQ(admit_error(pay(1'000'000)), ErrorCode::voucher_exhausted);
}

TEST_F(till, what_another_entry_was_paid_is_no_longer_there) {
    contract.open_voucher(100);
    const Admission admission = admit(pay(100));
    contract.apply(
        chain::tee_tee::SpentEvent{.voucher = chain::test_voucher, .entry = {0x77}, .paid = 60});
    desk.on_view(contract.view());
    EXPECT_EQ(standing().claimable, 40u);
    EXPECT_FALSE(desk.may_go_on(admission.hold, 4));
    // What this entry was paid is its own: the sum stays.
    contract.apply(
        chain::tee_tee::SpentEvent{.voucher = chain::test_voucher, .entry = entry, .paid = 40});
    desk.on_view(contract.view());
    EXPECT_EQ(standing().claimable, 40u);
}

TEST_F(till, serves_what_the_session_key_asks_for_and_no_one_who_has_its_spend) {
    contract.open_voucher(1000);
    VoucherPayment public_part = pay(200);
    public_part.proof.reset();
    EXPECT_EQ(admit_error(public_part), ErrorCode::payment_malformed);
    EXPECT_EQ(admit_error(pay(200), {10, 100, {0x9e}}), ErrorCode::signature_invalid);
    const VoucherPayment asked = pay(200);
    const Admission admission = admit(asked);
    EXPECT_EQ(admit_error(asked), ErrorCode::payment_in_use);
    desk.drop(admission.hold);
    EXPECT_EQ(admit_error(asked), ErrorCode::payment_in_use);
    // One that was refused for want of money may come again.
    const VoucherPayment poor = pay(200);
    EXPECT_EQ(admit_error(poor, {100, 100, {}}), ErrorCode::payment_required);
    EXPECT_NE(admit(poor).hold, 0u);
}

TEST_F(till, refuses_vouchers_that_are_not_good) {
    EXPECT_EQ(admit_error(pay(40)), ErrorCode::voucher_unknown);
    contract.open_voucher(1000);
    EXPECT_EQ(admit_error(pay(40, chain::test_voucher, 6)), ErrorCode::signature_invalid);
    VoucherPayment changed = pay(40);
    changed.spend.amount = 41;
    EXPECT_EQ(admit_error(changed), ErrorCode::signature_invalid);
    // No account is made of what was refused.
    EXPECT_FALSE(desk.standing(chain::test_voucher));
    admit(pay(40));
    clock.time += 3600;
    EXPECT_EQ(admit_error(pay(80)), ErrorCode::voucher_ended);
}

TEST_F(till, a_charge_that_is_not_kept_is_none) {
    contract.open_voucher(1000);
    const Admission admission = admit(pay(100));
    const auto charge = charge_for(admission.hold, {10, 0, 3});
    ledger.is_full = true;
    EXPECT_EQ(desk.finish(admission.hold, *charge, {}).error().code, ErrorCode::ledger_failed);
    EXPECT_EQ(standing().charged, 0u);
    EXPECT_EQ(standing().held, 0u);
    // What is served now could not be charged either.
    EXPECT_EQ(admit_error(pay(100)), ErrorCode::not_ready);
    clock.time += 30;
    const Admission later = admit(pay(100));
    ledger.is_full = false;
    ASSERT_TRUE(desk.finish(later.hold, *charge_for(later.hold, {10, 0, 3}), {}));
    EXPECT_EQ(standing().charged, 35u);
}

TEST_F(till, goes_on_from_its_ledger) {
    contract.open_voucher(1000);
    const Admission admission = admit(pay(100));
    ASSERT_TRUE(desk.finish(admission.hold, *charge_for(admission.hold, {10, 0, 3}), {}));
    Till other(options, ledger, clock);
    ASSERT_TRUE(other.load());
    EXPECT_EQ(other.standing(chain::test_voucher)->charged, 35u);
    // What was signed before still is.
    EXPECT_EQ(other.admit(contract.view(), pay(74), {50, 100, {}}).error().detail,
              "need 155 credits signed for in all, have 100");
}

TEST_F(till, serves_a_query_once) {
    contract.apply(chain::query_paid(1, 120));
    const Demand demand = {10, 100, {0x9e}};
    EXPECT_EQ(admit_error(QueryPayment{2}, demand), ErrorCode::query_unknown);
    EXPECT_EQ(admit_error(QueryPayment{1}, {10, 100, {0x9f}}), ErrorCode::query_mismatch);
    EXPECT_EQ(admit_error(QueryPayment{1}, {11, 100, {0x9e}}), ErrorCode::query_mismatch);
    const Admission admission = admit(QueryPayment{1}, demand);
    EXPECT_EQ(admission.tokens_max, 20u);
    EXPECT_EQ(admit_error(QueryPayment{1}, demand), ErrorCode::payment_in_use);
    // An answer that failed may be asked for again.
    desk.drop(admission.hold);
    const Admission again = admit(QueryPayment{1}, demand);
    EXPECT_TRUE(desk.may_go_on(again.hold, 19));
    EXPECT_FALSE(desk.may_go_on(again.hold, 20));
    const auto charge = charge_for(again.hold, {10, 10, 0});
    ASSERT_TRUE(charge);
    EXPECT_EQ(charge->amount, 0u);
    ASSERT_TRUE(desk.finish(again.hold, *charge, {}));
    EXPECT_EQ(admit_error(QueryPayment{1}, demand), ErrorCode::query_unknown);
    Till other(options, ledger, clock);
    ASSERT_TRUE(other.load());
    EXPECT_EQ(other.admit(contract.view(), QueryPayment{1}, demand).error().code,
              ErrorCode::query_unknown);
}

TEST_F(till, what_was_not_sent_is_not_charged) {
    contract.open_voucher(1000);
    const Admission admission = admit(pay(200));
    const auto charge = charge_for(admission.hold, {10, 4, 5, 2});
    ASSERT_TRUE(charge);
    EXPECT_EQ(charge->amount, 6u * 2 + 3 * 5);
    EXPECT_EQ(charge->completion_tokens, 5u) << "nodes sign for what they computed";
}

TEST_F(till, a_client_that_ends_its_answer_pays_for_the_prompt_and_what_it_was_sent) {
    contract.open_voucher(1000);
    const Admission admission = admit(pay(200));
    ASSERT_TRUE(desk.may_go_on(admission.hold, 7));
    const auto bill = desk.bill_for(admission.hold, {10, 4, 8, 3, AnswerEnd::by_client});
    ASSERT_TRUE(bill);
    EXPECT_EQ(bill->charge.amount, 6u * 2 + 5 * 5);
    ASSERT_TRUE(desk.finish(admission.hold, bill->charge, {}, bill->forfeit));
    EXPECT_EQ(standing().charged, 37u);
    EXPECT_EQ(standing().held, 3u * 5) << "what it had computed beyond that";
    clock.time += 3600;
    EXPECT_EQ(standing().held, 0u);
}

TEST_F(till, an_answer_that_the_network_ended_costs_what_was_sent) {
    contract.open_voucher(1000);
    const Admission admission = admit(pay(200));
    const auto bill = desk.bill_for(admission.hold, {10, 4, 8, 3, AnswerEnd::by_network});
    ASSERT_TRUE(bill);
    EXPECT_EQ(bill->charge.amount, 5u * 5);
    EXPECT_EQ(bill->forfeit, 0u);
    EXPECT_EQ(bill->charge.tokens(), 14u);
    EXPECT_FALSE(desk.bill_for(admission.hold, {10, 4, 8, 8, AnswerEnd::by_network}));
    desk.drop(admission.hold, {10, 4, 8, 8, AnswerEnd::by_network});
    EXPECT_EQ(standing().held, 0u);
}

TEST_F(till, prompts_that_come_to_nothing_use_up_what_is_signed_for_a_while) {
    contract.open_voucher(100);
    for (int i = 0; i < 4; ++i) {
        const Admission admission = admit(pay(100));
        EXPECT_FALSE(charge_for(admission.hold, {10, 0, 0, 0, AnswerEnd::by_network}));
        desk.drop(admission.hold, {10, 0, 0, 0, AnswerEnd::by_client});
    }
    EXPECT_EQ(standing().held, 80u);
    EXPECT_EQ(admit_error(pay(100)), ErrorCode::voucher_exhausted);
    EXPECT_EQ(standing().charged, 0u);
    // One that had not begun to be computed, or that the network ended, is nobody's fault.
    clock.time += 3599;
    EXPECT_EQ(admit_error(pay(100)), ErrorCode::voucher_exhausted);
    contract.open_voucher(100, {0x77});
    const Admission other = admit(pay(100, {0x77}), {10, 1, {}});
    desk.drop(other.hold, {0, 0, 0, 0, AnswerEnd::by_client});
    EXPECT_EQ(desk.standing(Digest{0x77})->held, 0u);
}

TEST_F(till, a_query_is_served_once_a_token_was_sent) {
    contract.apply(chain::query_paid(1, 120));
    const Demand demand = {10, 100, {0x9e}};
    const Admission first = admit(QueryPayment{1}, demand);
    // The network ended it: it may be asked again, as often as need be.
    EXPECT_FALSE(charge_for(first.hold, {10, 0, 5, 0, AnswerEnd::by_network}));
    desk.drop(first.hold, {10, 0, 5, 0, AnswerEnd::by_network});
    const Admission second = admit(QueryPayment{1}, demand);
    const auto charge = charge_for(second.hold, {10, 0, 5, 4, AnswerEnd::by_client});
    ASSERT_TRUE(charge);
    EXPECT_EQ(charge->amount, 25u);
    ASSERT_TRUE(desk.finish(second.hold, *charge, {}));
    EXPECT_EQ(admit_error(QueryPayment{1}, demand), ErrorCode::query_unknown);
}

TEST_F(till, a_query_is_not_begun_for_nothing_without_end) {
    contract.apply(chain::query_paid(1, 120));
    const Demand demand = {10, 100, {0x9e}};
    for (uint32_t i = 0; i < options.query_tries_max; ++i) {
        const Admission admission = admit(QueryPayment{1}, demand);
        const Delivered nothing = {10, 0, 5, 5, AnswerEnd::by_client};
        EXPECT_FALSE(charge_for(admission.hold, nothing));
        desk.drop(admission.hold, nothing);
    }
    EXPECT_EQ(admit_error(QueryPayment{1}, demand), ErrorCode::query_unknown);
}

TEST_F(till, a_host_has_used_what_it_ended) {
    const Admission first = admit(HostUse{chain::test_host});
    desk.drop(first.hold, {60, 0, 0, 0, AnswerEnd::by_network});
    const Admission second = admit(HostUse{chain::test_host});
    desk.drop(second.hold, {60, 0, 40, 40, AnswerEnd::by_client});
    EXPECT_EQ(admit_error(HostUse{chain::test_host}), ErrorCode::overloaded);
}

TEST_F(till, hosts_pay_nothing_within_bounds) {
    EXPECT_EQ(admit_error(HostUse{{0x41}}), ErrorCode::host_unknown);
    const Admission first = admit(HostUse{chain::test_host}, {10, 60, {}});
    const Admission second = admit(HostUse{chain::test_host}, {10, 100, {}});
    EXPECT_EQ(second.tokens_max, 100u);
    EXPECT_TRUE(desk.may_go_on(first.hold, 50));
    EXPECT_EQ(admit_error(HostUse{chain::test_host}), ErrorCode::overloaded);
    EXPECT_FALSE(charge_for(first.hold, {10, 0, 50}));
    desk.drop(first.hold, {10, 0, 50});
    desk.drop(second.hold, {10, 0, 50});
    EXPECT_EQ(admit_error(HostUse{chain::test_host}), ErrorCode::overloaded);
    clock.time += 3599;
    EXPECT_EQ(admit_error(HostUse{chain::test_host}), ErrorCode::overloaded);
    clock.time += 1;
    // The node's evidence has expired by now.
    EXPECT_EQ(admit_error(HostUse{chain::test_host}), ErrorCode::host_unknown);
}

TEST_F(till, what_a_hosts_answers_may_come_to_counts_while_they_are_under_way) {
    const Payment host = HostUse{chain::test_host};
    const auto demand = [](uint64_t request) {
        return Demand{.prompt_tokens = 20, .tokens_max = 80, .request = request};
    };
    const Admission first = admit(host, demand(1));
    // The other answers to the same request are let through, another request is not.
    const Admission second = admit(host, demand(1));
    EXPECT_EQ(admit_error(host, demand(2)), ErrorCode::overloaded);
    desk.drop(first.hold, {20, 0, 5});
    EXPECT_EQ(admit_error(host, demand(2)), ErrorCode::overloaded);
    // What they came to is less than they might have.
    desk.drop(second.hold, {20, 0, 5});
    EXPECT_NE(admit(host, demand(2)).hold, 0u);
}

TEST_F(till, a_pool_that_closes_serves_what_it_has_promised) {
    contract.open_voucher(1000);
    contract.apply(chain::query_paid(1, 120));
    contract.apply(chain::tee_tee::PoolClosedEvent{.pool = 1});
    EXPECT_NE(admit(pay(100)).hold, 0u);
    EXPECT_NE(admit(QueryPayment{1}, {10, 100, {0x9e}}).hold, 0u);
    options.pool = 2;
    Till other(options, ledger, clock);
    EXPECT_EQ(other.admit(contract.view(), pay(100), {10, 100, {}}).error().code,
              ErrorCode::not_ready);
}

TEST(prices, are_counted_without_wrapping) {
    EXPECT_EQ(price_of({2, 5}, 10, 4).value(), 40u);
    EXPECT_FALSE(price_of({UINT64_MAX, 0}, 2, 0));
    EXPECT_FALSE(price_of({UINT64_MAX, 1}, 1, 1));
}

}  // namespace
}  // namespace teetee::billing
