// SPDX-License-Identifier: Apache-2.0
#include "attest/verdict_cache.hpp"

#include <random>

#include <gtest/gtest.h>

#include "attest/test_platform.hpp"

namespace teetee::attest {
namespace {

using SharedCollateral = std::shared_ptr<const VerifiedCollateral>;

/// Null for a platform whose collateral does not verify at test::now.
SharedCollateral verified(const test::TestPlatform& platform) {
    auto out = verify_collateral(platform.collateral(), platform.roots(), test::now);
    EXPECT_TRUE(out) << out.error().message();
    return out ? std::make_shared<const VerifiedCollateral>(std::move(out).value()) : nullptr;
}

std::string describe(const Result<VerifiedQuote>& verdict) {
    if (!verdict) return verdict.error().message();
    std::string text = verdict->tcb ? std::string(to_string(verdict->tcb->status)) : "no status";
    text += " issued " + std::to_string(verdict->collateral_issued);
    text += " serial " + to_hex(verdict->pck.serial);
    return text + " report data " + to_hex(verdict->td_report()->report_data);
}

/// Quotes, collateral and roots of all kinds, and the times at which one of them begins or ends.
struct Cases {
    std::vector<Bytes> quotes;
    std::vector<SharedCollateral> collaterals = {nullptr};
    std::vector<TrustedRoots> roots;
    std::vector<UnixSeconds> times;

    void add_edges(const Validity& validity) {
        for (const UnixSeconds edge : {validity.not_before, validity.not_after}) {
            for (const UnixSeconds step : {-1, 0, 1}) times.push_back(edge + step);
        }
    }
};

Cases make_cases() {
    Cases cases;
    test::TestPlatform good;
    test::TestPlatform short_lived;
    short_lived.pck.not_before = test::now - 100;
    short_lived.pck.not_after = test::now + 100;
    test::TestPlatform revoked;
    revoked.pck_crl.revoked_serials = {revoked.pck.serial};
    test::TestPlatform outdated;
    outdated.level(0)["tcbStatus"] = "OutOfDate";
    test::TestPlatform changed;
    changed.report[520] ^= 1;

    cases.quotes = {good.quote(), short_lived.quote(), changed.quote()};
    Bytes forged = good.quote();
    forged[200] ^= 1;
    cases.quotes.push_back(std::move(forged));
    for (const test::TestPlatform* platform : {&good, &revoked, &outdated})
        cases.collaterals.push_back(verified(*platform));
    // The same documents once more, as a source gives them that has verified them anew.
    cases.collaterals.push_back(verified(good));
    cases.roots = {good.roots(), TrustedRoots::intel()};

    cases.times = {test::now};
    cases.add_edges({short_lived.pck.not_before, short_lived.pck.not_after});
    cases.add_edges({good.pck.not_before, good.pck.not_after});
    for (const NamedValidity& part : cases.collaterals[1]->validities)
        cases.add_edges(part.validity);
    return cases;
}

// The cache answers what verify_quote answers, whatever was asked before. Small, so that verdicts
// are forgotten in between as well.
TEST(verdict_cache, answers_as_if_it_were_not_there) {
    const Cases cases = make_cases();
    std::mt19937 random(7);
    const auto pick = [&](const auto& list) -> const auto& {
        return list[random() % list.size()];
    };
    for (const size_t entries_max : {1u, 2u, 100u}) {
        VerdictCache cache(entries_max);
        size_t accepted = 0;
        for (int i = 0; i < 1200; ++i) {
            const Bytes& quote = pick(cases.quotes);
            const SharedCollateral& collateral = pick(cases.collaterals);
            const TrustedRoots& roots = pick(cases.roots);
            const UnixSeconds now = pick(cases.times);
            const auto plain =
                verify_quote({.quote = quote, .collateral = collateral.get()}, roots, now);
            const auto cached = cache.verify(quote, collateral, roots, now);
            ASSERT_EQ(describe(cached), describe(plain)) << "step " << i;
            accepted += plain ? 1 : 0;
        }
        EXPECT_GT(accepted, 100u);
        EXPECT_GT(cache.hit_count(), 5u);
        EXPECT_LE(cache.entry_count(), entries_max);
    }
}

TEST(verdict_cache, the_second_time_is_a_hit_and_a_rejection_is_none) {
    const test::TestPlatform platform;
    const SharedCollateral collateral = verified(platform);
    VerdictCache cache;
    const Bytes quote = platform.quote();
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(cache.verify(quote, collateral, platform.roots(), test::now));
    EXPECT_EQ(cache.hit_count(), 2u);
    for (int i = 0; i < 3; ++i)
        EXPECT_FALSE(cache.verify(quote, collateral, TrustedRoots::intel(), test::now));
    EXPECT_EQ(cache.hit_count(), 2u);
    EXPECT_EQ(cache.entry_count(), 1u);
}

TEST(verdict_cache, other_collateral_is_another_question) {
    const test::TestPlatform platform;
    test::TestPlatform outdated;
    outdated.level(0)["tcbStatus"] = "OutOfDate";
    VerdictCache cache;
    const Bytes quote = platform.quote();
    const auto status = [&](const SharedCollateral& collateral) {
        return cache.verify(quote, collateral, platform.roots(), test::now).value().tcb->status;
    };
    const SharedCollateral before = verified(platform);
    const SharedCollateral after = verified(outdated);
    EXPECT_EQ(status(before), TcbStatus::up_to_date);
    EXPECT_EQ(status(after), TcbStatus::out_of_date);
    EXPECT_EQ(status(before), TcbStatus::up_to_date);
    EXPECT_EQ(cache.hit_count(), 0u);
    EXPECT_EQ(cache.entry_count(), 1u) << "one verdict a quote";
}

TEST(verdict_cache, forgets_what_was_used_longest_ago) {
    std::vector<Bytes> quotes;
    test::TestPlatform platform;
    for (uint8_t i = 0; i < 3; ++i) {
        platform.report[520] = i;
        quotes.push_back(platform.quote());
    }
    VerdictCache cache(2);
    const auto ask = [&](size_t index) {
        const uint64_t before = cache.hit_count();
        EXPECT_TRUE(cache.verify(quotes[index], nullptr, platform.roots(), test::now));
        return cache.hit_count() > before;
    };
    EXPECT_FALSE(ask(0));
    EXPECT_FALSE(ask(1));
    EXPECT_TRUE(ask(0));
    EXPECT_FALSE(ask(2));
    EXPECT_TRUE(ask(0));
    EXPECT_FALSE(ask(1));
}

}  // namespace
}  // namespace teetee::attest
