// SPDX-License-Identifier: Apache-2.0
#include "attest/collateral_shelf.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "attest/test_platform.hpp"
#include "attest/time_text.hpp"

namespace teetee::attest {
namespace {

using test::TestPlatform;
namespace json = boost::json;

constexpr UnixSeconds hour_s = 3600;
constexpr UnixSeconds day_s = 24 * hour_s;
// Collateral of the dev PKI made at test::now.
constexpr UnixSeconds expires = test::now + 29 * day_s;

// What jitter adds is nothing.
class ZeroRng final : public Rng {
  public:
    void fill(std::span<uint8_t> out) override { std::ranges::fill(out, uint8_t{0}); }
};

VerifiedCollateral verified(const TestPlatform& platform, UnixSeconds now = test::now) {
    return verify_collateral(platform.collateral(), platform.roots(), now).value();
}

Digest content_of(const TestPlatform& platform) {
    return crypto::sha256(as_bytes(encode_collateral(platform.collateral())));
}

// A platform of another FMSPC.
TestPlatform platform_number(uint8_t number) {
    TestPlatform platform;
    platform.tcb_info["fmspc"] = "0000000000" + to_hex(ByteArray<1>{number});
    return platform;
}

PlatformId id_number(uint8_t number) {
    return {TeeType::tdx, {0, 0, 0, 0, 0, number}, PckCa::platform};
}

struct Shelf {
    ZeroRng rng;
    CollateralShelf shelf{{.platforms_max = 3, .fetch_pause_s = 0}, rng};
    PlatformId id = platform_of(TestPlatform().quote()).value();

    Result<CollateralShelf::Put> put(const TestPlatform& platform, UnixSeconds now = test::now) {
        return shelf.put(verified(platform, now), content_of(platform), now);
    }
};

TEST(collateral_shelf, holds_by_platform_until_it_runs_out) {
    Shelf s;
    EXPECT_EQ(s.shelf.find(s.id, test::now), nullptr);
    const uint64_t before = s.shelf.version();
    EXPECT_EQ(s.put(TestPlatform()).value(), CollateralShelf::Put::taken);
    EXPECT_NE(s.shelf.version(), before);
    ASSERT_NE(s.shelf.find(s.id, test::now), nullptr);
    EXPECT_EQ(s.shelf.find(s.id, test::now)->expires(), expires);
    EXPECT_NE(s.shelf.find(s.id, expires), nullptr);
    EXPECT_EQ(s.shelf.find(s.id, expires + 1), nullptr);
    PlatformId other = s.id;
    other.ca = PckCa::processor;
    EXPECT_EQ(s.shelf.find(other, test::now), nullptr);
    other = s.id;
    other.tee = TeeType::sgx;
    EXPECT_EQ(s.shelf.find(other, test::now), nullptr);
}

TEST(collateral_shelf, the_same_again_changes_nothing) {
    Shelf s;
    ASSERT_TRUE(s.put(TestPlatform()));
    const uint64_t before = s.shelf.version();
    EXPECT_EQ(s.put(TestPlatform()).value(), CollateralShelf::Put::known);
    EXPECT_EQ(s.shelf.version(), before);
}

TEST(collateral_shelf, takes_what_is_newer_in_any_part) {
    Shelf s;
    ASSERT_TRUE(s.put(TestPlatform()));
    TestPlatform revoked;
    revoked.pck_crl.this_update += hour_s;
    revoked.pck_crl.revoked_serials = {revoked.pck.serial};
    const uint64_t before = s.shelf.version();
    EXPECT_EQ(s.put(revoked).value(), CollateralShelf::Put::taken);
    EXPECT_NE(s.shelf.version(), before);
    EXPECT_EQ(s.shelf.find(s.id, test::now)->pck_crl.revoked.size(), 1u);
}

TEST(collateral_shelf, refuses_a_rollback_of_any_part) {
    const std::pair<const char*, std::function<void(TestPlatform&)>> parts[] = {
        {"TCB info",
         [](TestPlatform& p) { p.tcb_info["issueDate"] = format_utc(test::now - 2 * day_s); }},
        {"QE identity",
         [](TestPlatform& p) { p.qe_identity["issueDate"] = format_utc(test::now - 2 * day_s); }},
        {"TCB info", [](TestPlatform& p) { p.tcb_info["tcbEvaluationDataNumber"] = 0; }},
        {"QE identity", [](TestPlatform& p) { p.qe_identity["tcbEvaluationDataNumber"] = 0; }},
        {"PCK CRL", [](TestPlatform& p) { p.pck_crl.this_update -= 1; }},
        {"root CRL", [](TestPlatform& p) { p.root_crl.this_update -= 1; }},
    };
    for (const auto& [name, change] : parts) {
        Shelf s;
        ASSERT_TRUE(s.put(TestPlatform()));
        const uint64_t before = s.shelf.version();
        TestPlatform older;
        // Newer in the other parts: that buys nothing.
        older.root_crl.next_update += day_s;
        change(older);
        const auto put = s.put(older);
        ASSERT_FALSE(put) << name;
        EXPECT_EQ(put.error().code, ErrorCode::collateral_too_old);
        EXPECT_TRUE(put.error().detail.starts_with(name)) << put.error().detail;
        EXPECT_EQ(s.shelf.version(), before);
        EXPECT_NE(s.shelf.find(s.id, test::now), nullptr);
    }
}

// Who can hold back newer documents until the held ones run out gains nothing by it.
TEST(collateral_shelf, refuses_a_rollback_of_what_has_run_out_too) {
    Shelf s;
    ASSERT_TRUE(s.put(TestPlatform()));
    TestPlatform older;
    older.tcb_info["tcbEvaluationDataNumber"] = 0;
    for (const char* document : {"tcb", "qe"}) {
        json::object& head =
            std::string_view(document) == "tcb" ? older.tcb_info : older.qe_identity;
        head["nextUpdate"] = format_utc(expires + 9 * day_s);
    }
    older.pck_crl.next_update = older.root_crl.next_update = expires + 9 * day_s;
    EXPECT_EQ(s.put(older, expires + day_s).error().code, ErrorCode::collateral_too_old);
    EXPECT_EQ(s.shelf.find(s.id, expires + day_s), nullptr);
}

TEST(collateral_shelf, asks_at_once_for_what_is_wanted_and_again_within_a_day) {
    Shelf s;
    EXPECT_EQ(s.shelf.next_due(test::now), std::nullopt);
    EXPECT_EQ(s.shelf.next_due_at(), std::nullopt);
    EXPECT_TRUE(s.shelf.want(s.id, test::now));
    EXPECT_EQ(s.shelf.next_due(test::now - 1), std::nullopt);
    EXPECT_EQ(s.shelf.next_due(test::now), s.id);
    ASSERT_TRUE(s.put(TestPlatform()));
    s.shelf.on_fetched(s.id, test::now);
    EXPECT_EQ(s.shelf.next_due(test::now), std::nullopt);
    EXPECT_EQ(s.shelf.next_due_at(), test::now + day_s);
    // Wanted again, it does not come sooner.
    EXPECT_TRUE(s.shelf.want(s.id, test::now));
    EXPECT_EQ(s.shelf.next_due(test::now + day_s - 1), std::nullopt);
    EXPECT_EQ(s.shelf.next_due(test::now + day_s), s.id);
}

TEST(collateral_shelf, what_lies_in_a_folder_is_asked_for_again_too) {
    Shelf s;
    ASSERT_TRUE(s.put(TestPlatform()));
    EXPECT_EQ(s.shelf.next_due_at(), test::now + day_s);
}

// Issued a day before `now` for 30 days: a quarter of its life is left at 7.5 days.
TEST(collateral_shelf, asks_every_hour_when_a_quarter_of_its_life_is_left) {
    Shelf s;
    ASSERT_TRUE(s.put(TestPlatform()));
    const UnixSeconds quarter_left = expires - 30 * day_s / 4;
    s.shelf.on_fetched(s.id, quarter_left - 5 * hour_s);
    EXPECT_EQ(s.shelf.next_due_at(), quarter_left);
    s.shelf.on_fetched(s.id, quarter_left);
    EXPECT_EQ(s.shelf.next_due_at(), quarter_left + hour_s);
    s.shelf.on_fetched(s.id, expires + day_s);
    EXPECT_EQ(s.shelf.next_due_at(), expires + day_s + hour_s);
}

TEST(collateral_shelf, failures_are_repeated_ever_more_slowly) {
    Shelf s;
    ASSERT_TRUE(s.shelf.want(s.id, test::now));
    UnixSeconds time = test::now;
    for (const UnixSeconds pause_s : {30, 60, 120, 240, 480, 960, 1920, 3600, 3600}) {
        s.shelf.on_failed(s.id, fail(ErrorCode::timed_out, "x"), time);
        EXPECT_EQ(s.shelf.next_due_at(), time + pause_s);
        time += pause_s;
    }
    for (int i = 0; i < 100; ++i) s.shelf.on_failed(s.id, fail(ErrorCode::timed_out, "x"), time);
    EXPECT_EQ(s.shelf.next_due_at(), time + hour_s);
    ASSERT_TRUE(s.put(TestPlatform()));
    s.shelf.on_fetched(s.id, test::now);
    s.shelf.on_failed(s.id, fail(ErrorCode::timed_out, "x"), test::now);
    EXPECT_EQ(s.shelf.next_due_at(), test::now + 30);
}

TEST(collateral_shelf, fetches_are_spread_over_time_whatever_is_wanted) {
    ZeroRng rng;
    CollateralShelf shelf({.platforms_max = 9, .fetch_pause_s = 5}, rng);
    for (uint8_t i = 0; i < 9; ++i) EXPECT_TRUE(shelf.want(id_number(i), test::now));
    UnixSeconds time = test::now;
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(shelf.next_due(time));
        shelf.on_failed(*shelf.next_due(time), fail(ErrorCode::timed_out, "x"), time);
        EXPECT_EQ(shelf.next_due(time + 4), std::nullopt);
        time += 5;
    }
}

TEST(collateral_shelf, peers_cannot_make_it_grow) {
    Shelf s;
    ASSERT_TRUE(s.put(TestPlatform()));
    EXPECT_TRUE(s.shelf.want(id_number(1), test::now));
    EXPECT_TRUE(s.shelf.want(id_number(2), test::now));
    EXPECT_FALSE(s.shelf.want(id_number(3), test::now));
    EXPECT_EQ(s.put(platform_number(4)).error().code, ErrorCode::limit_exceeded);
    // Those about which nothing is known make room; what is held stays.
    s.shelf.on_failed(id_number(2), fail(ErrorCode::timed_out, "x"), test::now);
    EXPECT_TRUE(s.shelf.want(id_number(3), test::now));
    EXPECT_EQ(s.shelf.next_due(test::now), id_number(1));
    s.shelf.on_failed(id_number(1), fail(ErrorCode::timed_out, "x"), test::now);
    s.shelf.on_failed(id_number(3), fail(ErrorCode::timed_out, "x"), test::now);
    EXPECT_TRUE(s.put(platform_number(4)));
    EXPECT_TRUE(s.put(platform_number(5)));
    EXPECT_FALSE(s.put(platform_number(6)));
    EXPECT_NE(s.shelf.find(s.id, test::now), nullptr);
    EXPECT_NE(s.shelf.find(id_number(5), test::now), nullptr);
}

TEST(collateral_shelf, tells_once_a_day_from_seven_days_ahead) {
    Shelf s;
    ASSERT_TRUE(s.put(TestPlatform()));
    EXPECT_TRUE(s.shelf.take_notices(expires - 7 * day_s - 1).empty());
    s.shelf.on_failed(s.id, fail(ErrorCode::timed_out, "no answer"), expires - 7 * day_s - 1);
    for (int day = 7; day > 0; --day) {
        const auto notices = s.shelf.take_notices(expires - day * day_s);
        ASSERT_EQ(notices.size(), 1u) << day;
        EXPECT_EQ(notices[0].platform, s.id);
        EXPECT_EQ(notices[0].expires, expires);
        EXPECT_FALSE(notices[0].expired);
        EXPECT_EQ(notices[0].last_failure, "timed_out: no answer");
        EXPECT_TRUE(s.shelf.take_notices(expires - day * day_s + day_s - 1).empty()) << day;
    }
}

TEST(collateral_shelf, tells_at_once_when_it_has_run_out_and_judges_anew) {
    Shelf s;
    ASSERT_TRUE(s.put(TestPlatform()));
    EXPECT_EQ(s.shelf.take_notices(expires).size(), 1u);
    const uint64_t before = s.shelf.version();
    const auto notices = s.shelf.take_notices(expires + 1);
    ASSERT_EQ(notices.size(), 1u);
    EXPECT_TRUE(notices[0].expired);
    EXPECT_NE(s.shelf.version(), before);
    const uint64_t after = s.shelf.version();
    EXPECT_TRUE(s.shelf.take_notices(expires + 2).empty());
    EXPECT_EQ(s.shelf.take_notices(expires + 1 + day_s).size(), 1u);
    EXPECT_EQ(s.shelf.version(), after);
}

}  // namespace
}  // namespace teetee::attest
