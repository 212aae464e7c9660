// SPDX-License-Identifier: Apache-2.0
#include "net/collateral_cache.hpp"

#include <atomic>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "attest/limits.hpp"
#include "attest/test_platform.hpp"
#include "attest/time_text.hpp"
#include "net/pcs_fake.hpp"

namespace teetee::net {
namespace {

using attest::test::TestPlatform;
namespace json = boost::json;

constexpr UnixSeconds start_time = attest::test::now;
constexpr UnixSeconds day_s = 24 * 3600;
/// Of collateral of the dev PKI made at start_time.
constexpr UnixSeconds expires = start_time + 29 * day_s;
constexpr const char* tcb = "/tdx/certification/v4/tcb";

const attest::PlatformId dev_platform = {
    attest::TeeType::tdx, {'D', 'E', 'V', 'T', 'E', 'E'}, attest::PckCa::platform};

class SetClock final : public Clock {
  public:
    Instant now() const override { return std::chrono::seconds(unix_.load()); }
    UnixSeconds unix_now() const override { return unix_; }
    void set(UnixSeconds time) { unix_ = time; }

  private:
    std::atomic<UnixSeconds> unix_ = start_time;
};

class ZeroRng final : public Rng {
  public:
    void fill(std::span<uint8_t> out) override { std::ranges::fill(out, uint8_t{0}); }
};

class RecordingLog final : public Log {
  public:
    void write(LogLevel level, std::string_view message) override {
        const std::scoped_lock lock(mutex_);
        lines_.push_back(std::to_string(static_cast<int>(level)) + " " + std::string(message));
    }
    /// Lines of this level in which all the parts are.
    size_t count(LogLevel level, const std::vector<std::string>& parts) const {
        const std::scoped_lock lock(mutex_);
        return static_cast<size_t>(std::ranges::count_if(lines_, [&](const std::string& line) {
            return line.starts_with(std::to_string(static_cast<int>(level))) &&
                   std::ranges::all_of(parts, [&](const std::string& part) {
                       return line.find(part) != std::string::npos;
                   });
        }));
    }
    std::string text() const {
        const std::scoped_lock lock(mutex_);
        std::string out;
        for (const std::string& line : lines_) out += line + "\n";
        return out;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

/// The dev platform's collateral, all of it issued at this time for 30 days.
attest::Collateral issued_at(UnixSeconds time, TestPlatform platform = TestPlatform()) {
    for (json::object* document : {&platform.tcb_info, &platform.qe_identity}) {
        (*document)["issueDate"] = attest::format_utc(time);
        (*document)["nextUpdate"] = attest::format_utc(time + 30 * day_s);
    }
    for (attest::CrlFields* list : {&platform.pck_crl, &platform.root_crl}) {
        list->this_update = time;
        list->next_update = time + 30 * day_s;
    }
    return platform.collateral();
}

class collateral_cache : public testing::Test {
  protected:
    collateral_cache() {
        std::string pattern = testing::TempDir() + "teetee-collateral-" + std::string(6, 'X');
        folder = ::mkdtemp(pattern.data());
    }
    ~collateral_cache() override { std::filesystem::remove_all(folder); }

    void drop(const std::string& name, const attest::Collateral& collateral) {
        drop_text(name, attest::encode_collateral(collateral));
    }
    void drop_text(const std::string& name, const std::string& text) {
        ASSERT_TRUE(write_file_atomic(folder + "/" + name, as_bytes(text)));
    }
    std::string kept_path() const { return folder + "/tdx-444556544545-platform.json"; }

    CollateralCacheOptions options(const std::vector<std::string>& urls = {}) {
        CollateralCacheOptions out;
        out.roots = TestPlatform().roots();
        out.folder = folder;
        for (const std::string& url : urls) {
            PcsOptions pcs;
            pcs.url = url;
            pcs.wait = [](Duration, const std::stop_token&) {};
            out.services.push_back(PcsClient::create(pcs).value());
        }
        out.shelf.fetch_pause_s = 0;
        return out;
    }

    std::string folder;
    SetClock clock;
    ZeroRng rng;
    RecordingLog log;
};

TEST_F(collateral_cache, serves_from_a_folder_whatever_the_files_are_called) {
    drop("any name.json", TestPlatform().collateral());
    CollateralCache offline({clock, rng, log}, options());
    EXPECT_EQ(offline.find(dev_platform), nullptr);
    offline.tend();
    ASSERT_NE(offline.find(dev_platform), nullptr) << log.text();
    EXPECT_EQ(offline.find(dev_platform)->expires(), expires);
    EXPECT_EQ(log.count(LogLevel::info, {"tdx-444556544545-platform", "any name.json",
                                         attest::format_utc(expires)}),
              1u)
        << log.text();
    offline.want(dev_platform);
    offline.tend();
    EXPECT_EQ(log.count(LogLevel::info, {""}), 1u) << "an unchanged file is not read again";
}

TEST_F(collateral_cache, passes_over_files_that_are_no_good_and_names_them) {
    drop_text("garbage.json", "{}");
    drop("stranger.json", attest::test::make_tee({}, 2).collateral(start_time).value());
    drop("late.json", issued_at(start_time - 31 * day_s));
    drop("early.json", issued_at(start_time + 1));
    attest::Collateral forged = TestPlatform().collateral();
    forged.tcb_info.body.replace(forged.tcb_info.body.find("UpToDate"), 8, "SWHarden");
    drop("forged.json", forged);
    drop_text("large.json", std::string(attest::collateral_bytes_max + 1, ' '));
    ASSERT_EQ(::mkfifo((folder + "/fifo.json").c_str(), 0600), 0);
    drop("collateral.txt", TestPlatform().collateral());
    CollateralCache offline({clock, rng, log}, options());
    offline.tend();
    EXPECT_EQ(offline.find(dev_platform), nullptr);
    const std::pair<const char*, const char*> faults[] = {
        {"garbage.json", "collateral_malformed"},
        {"stranger.json", "root_untrusted"},
        {"late.json", "collateral_expired"},
        {"early.json", "collateral_expired"},
        {"forged.json", "collateral_signature_invalid"},
        {"large.json", "limit_exceeded"},
        {"fifo.json", "not a regular file"}};
    for (const auto& [name, fault] : faults) {
        EXPECT_EQ(log.count(LogLevel::warn, {name, fault}), 1u) << name << "\n" << log.text();
    }
    EXPECT_EQ(log.count(LogLevel::warn, {"collateral.txt"}), 0u);
}

TEST_F(collateral_cache, hands_out_the_documents_of_what_it_holds) {
    const attest::Collateral first = issued_at(start_time);
    drop("a.json", first);
    CollateralCache offline({clock, rng, log}, options());
    EXPECT_FALSE(offline.documents(dev_platform));
    offline.tend();
    EXPECT_EQ(offline.documents(dev_platform), first);
    clock.set(start_time + day_s);
    const attest::Collateral second = issued_at(start_time + day_s);
    drop("a.json", second);
    offline.tend();
    EXPECT_EQ(offline.documents(dev_platform), second);
    // Older ones take the place of nothing.
    drop("b.json", first);
    offline.tend();
    EXPECT_EQ(offline.documents(dev_platform), second);
    clock.set(start_time + 32 * day_s);
    EXPECT_FALSE(offline.documents(dev_platform));
}

TEST_F(collateral_cache, takes_over_files_that_change_while_it_runs) {
    drop("a.json", TestPlatform().collateral());
    CollateralCache offline({clock, rng, log}, options());
    offline.tend();
    const uint64_t before = offline.version();
    TestPlatform revoked;
    revoked.pck_crl.revoked_serials = {revoked.pck.serial};
    drop("a.json", issued_at(start_time, std::move(revoked)));
    offline.tend();
    EXPECT_NE(offline.version(), before);
    EXPECT_EQ(offline.find(dev_platform)->pck_crl.revoked.size(), 1u);
    // The older file under another name, or in its place, brings nothing back.
    drop("b.json", TestPlatform().collateral());
    drop("a.json", TestPlatform().collateral());
    offline.tend();
    EXPECT_EQ(offline.find(dev_platform)->pck_crl.revoked.size(), 1u);
    EXPECT_EQ(log.count(LogLevel::warn, {"b.json", "collateral_too_old"}), 1u) << log.text();
    std::filesystem::remove(folder + "/a.json");
    offline.tend();
    EXPECT_NE(offline.find(dev_platform), nullptr) << "what was verified stays";
}

TEST_F(collateral_cache, fetches_what_is_wanted_and_keeps_it_for_the_next_start) {
    const attest::Collateral need = TestPlatform().collateral();
    {
        FakePcs pcs(need);
        CollateralCache online({clock, rng, log}, options({pcs.url()}));
        online.tend();
        EXPECT_EQ(pcs.asked_count(), 0u);
        EXPECT_EQ(online.find(dev_platform), nullptr);
        EXPECT_EQ(pcs.asked_count(), 0u) << "looking is not asking";
        const uint64_t before = online.version();
        online.want(dev_platform);
        online.tend();
        ASSERT_NE(online.find(dev_platform), nullptr) << log.text();
        EXPECT_NE(online.version(), before);
        EXPECT_EQ(pcs.asked_count(), 4u);
        online.want(dev_platform);
        online.tend();
        EXPECT_EQ(pcs.asked_count(), 4u);
    }
    // What 'teetee attest verify' takes, with every signed byte as it was.
    const Bytes kept = read_file(kept_path(), 1 << 20).value();
    EXPECT_EQ(attest::parse_collateral(as_text(kept)).value(), need);
    CollateralCache offline({clock, rng, log}, options());
    offline.tend();
    EXPECT_NE(offline.find(dev_platform), nullptr);
}

TEST_F(collateral_cache, keeps_good_collateral_whatever_a_service_sends) {
    FakePcs pcs(issued_at(start_time));
    CollateralCache online({clock, rng, log}, options({pcs.url()}));
    online.want(dev_platform);
    online.tend();
    const auto good = online.find(dev_platform);
    ASSERT_NE(good, nullptr) << log.text();
    const Bytes kept = read_file(kept_path(), 1 << 20).value();
    const uint64_t version = online.version();

    TestPlatform lenient;
    lenient.tcb_info["tcbEvaluationDataNumber"] = 0;
    attest::Collateral forged = issued_at(start_time);
    forged.tcb_info.signature[0] ^= 1;
    TestPlatform other_platform;
    other_platform.tcb_info["fmspc"] = "010203040506";
    const std::pair<attest::Collateral, const char*> bad[] = {
        {forged, "collateral_signature_invalid"},
        {attest::test::make_tee({}, 2).collateral(start_time).value(), "root_untrusted"},
        {issued_at(start_time - 1), "collateral_too_old"},
        {issued_at(start_time, std::move(lenient)), "collateral_too_old"},
        {issued_at(start_time - 31 * day_s), "collateral_expired"}};
    for (const auto& [collateral, fault] : bad) {
        clock.set(clock.unix_now() + day_s);
        pcs.publish(collateral);
        online.tend();
        EXPECT_EQ(log.count(LogLevel::warn, {pcs.url(), fault}) > 0, true) << fault << "\n"
                                                                           << log.text();
        EXPECT_EQ(online.find(dev_platform), good) << fault;
    }
    clock.set(clock.unix_now() + day_s);
    const auto swapped =
        attest::test::pcs_answers(issued_at(start_time + day_s, std::move(other_platform)));
    pcs.publish(issued_at(start_time + day_s));
    pcs.next_change(tcb, [&](HttpResponse& response) { response.body = swapped.tcb_info.body; });
    online.tend();
    EXPECT_EQ(log.count(LogLevel::warn, {"collateral_mismatch", "tdx-010203040506"}), 1u)
        << log.text();
    EXPECT_EQ(online.find(dev_platform), good);
    EXPECT_EQ(online.version(), version);
    EXPECT_EQ(read_file(kept_path(), 1 << 20).value(), kept);
}

TEST_F(collateral_cache, asks_the_next_service_when_one_has_nothing) {
    FakePcs other(issued_at(start_time, [] {
        TestPlatform platform;
        platform.tcb_info["fmspc"] = "010203040506";
        return platform;
    }()));
    FakePcs pcs(TestPlatform().collateral());
    CollateralCache online({clock, rng, log}, options({other.url(), pcs.url()}));
    online.want(dev_platform);
    online.tend();
    EXPECT_NE(online.find(dev_platform), nullptr) << log.text();
    EXPECT_EQ(log.count(LogLevel::warn, {other.url(), "404"}), 1u) << log.text();
}

TEST_F(collateral_cache, does_not_hammer_a_service_that_knows_nothing) {
    FakePcs pcs(TestPlatform().collateral());
    CollateralCache online({clock, rng, log}, options({pcs.url()}));
    const attest::PlatformId unknown = {
        attest::TeeType::tdx, {1, 2, 3, 4, 5, 6}, attest::PckCa::platform};
    for (int i = 0; i < 50; ++i) {
        online.want(unknown);
        online.tend();
    }
    EXPECT_EQ(pcs.asked_count(), 1u);
    clock.set(start_time + 30);
    online.tend();
    EXPECT_EQ(pcs.asked_count(), 2u);
}

TEST_F(collateral_cache, refreshes_long_before_it_runs_out) {
    FakePcs pcs(issued_at(start_time));
    CollateralCache online({clock, rng, log}, options({pcs.url()}));
    online.want(dev_platform);
    online.tend();
    for (int day = 1; day <= 60; ++day) {
        clock.set(start_time + day * day_s);
        if (day % 20 == 0) pcs.publish(issued_at(clock.unix_now()));
        online.tend();
        ASSERT_NE(online.find(dev_platform), nullptr) << "day " << day << "\n" << log.text();
    }
    EXPECT_EQ(log.count(LogLevel::warn, {""}) + log.count(LogLevel::error, {""}), 0u) << log.text();
    EXPECT_EQ(log.count(LogLevel::info, {"collateral for"}), 4u) << log.text();
}

TEST_F(collateral_cache, warns_seven_days_ahead_once_a_day_and_says_what_to_do) {
    drop("a.json", TestPlatform().collateral());
    CollateralCache offline({clock, rng, log}, options());
    clock.set(expires - 7 * day_s - 1);
    offline.tend();
    EXPECT_EQ(log.count(LogLevel::warn, {""}), 0u) << log.text();
    for (int day = 7; day > 0; --day) {
        clock.set(expires - day * day_s);
        offline.tend();
        offline.tend();
        EXPECT_EQ(log.count(LogLevel::warn,
                            {"tdx-444556544545-platform", "runs out", attest::format_utc(expires),
                             folder, "teetee attest collateral"}),
                  static_cast<size_t>(8 - day))
            << log.text();
    }
    EXPECT_EQ(log.count(LogLevel::error, {""}), 0u);
    const uint64_t version = offline.version();
    clock.set(expires + 1);
    offline.tend();
    EXPECT_EQ(log.count(LogLevel::error, {"tdx-444556544545-platform", "has run out", folder}), 1u)
        << log.text();
    EXPECT_EQ(offline.find(dev_platform), nullptr);
    EXPECT_NE(offline.version(), version);
    drop("a.json", issued_at(clock.unix_now()));
    offline.tend();
    EXPECT_NE(offline.find(dev_platform), nullptr) << log.text();
}

TEST_F(collateral_cache, a_warning_says_why_no_service_gave_newer) {
    FakePcs pcs(TestPlatform().collateral());
    CollateralCache online({clock, rng, log}, options({pcs.url()}));
    online.want(dev_platform);
    online.tend();
    for (int i = 0; i < 4; ++i) pcs.next_status(tcb, 503);
    clock.set(expires - 6 * day_s);
    online.tend();
    EXPECT_EQ(log.count(LogLevel::warn, {"runs out", pcs.url(), "503"}), 1u) << log.text();
}

TEST_F(collateral_cache, fetches_on_a_thread_of_its_own_as_soon_as_something_is_wanted) {
    FakePcs pcs(TestPlatform().collateral());
    CollateralCacheOptions with = options({pcs.url()});
    with.poll_time = std::chrono::hours(1);
    CollateralCache online({clock, rng, log}, std::move(with));
    online.start();
    online.want(dev_platform);
    Loop loop;
    run_until(loop, [&] { return online.find(dev_platform) != nullptr; });
}

TEST_F(collateral_cache, looks_at_its_folder_while_it_runs) {
    CollateralCacheOptions with = options();
    with.poll_time = std::chrono::milliseconds(1);
    CollateralCache offline({clock, rng, log}, std::move(with));
    offline.start();
    drop("a.json", TestPlatform().collateral());
    Loop loop;
    run_until(loop, [&] { return offline.find(dev_platform) != nullptr; });
}

// Else a node would not end before the service's time is over.
TEST_F(collateral_cache, ends_at_once_in_the_middle_of_a_fetch) {
    FakePcs pcs(TestPlatform().collateral());
    std::promise<void> asked;
    pcs.next(tcb, [&](const auto&, const auto& exchange, const HttpResponse&) {
        exchange->begin_stream(200, "application/json", {});
        exchange->on_disconnect([exchange] {});
        asked.set_value();
    });
    CollateralCacheOptions with = options({pcs.url()});
    const auto online =
        std::make_unique<CollateralCache>(CollateralCache::World{clock, rng, log}, std::move(with));
    online->start();
    online->want(dev_platform);
    ASSERT_EQ(asked.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST_F(collateral_cache, does_without_a_folder_or_one_it_cannot_write) {
    FakePcs pcs(TestPlatform().collateral());
    drop_text("file", "");
    for (const std::string& place : {std::string(), folder + "/file"}) {
        CollateralCacheOptions with = options({pcs.url()});
        with.folder = place;
        CollateralCache online({clock, rng, log}, std::move(with));
        online.want(dev_platform);
        online.tend();
        EXPECT_NE(online.find(dev_platform), nullptr) << log.text();
    }
    EXPECT_EQ(log.count(LogLevel::warn, {"is not kept"}), 1u) << log.text();
}

}  // namespace
}  // namespace teetee::net
