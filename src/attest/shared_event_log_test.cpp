// SPDX-License-Identifier: Apache-2.0
// Real event logs, with the quotes that they belong to, from the shared data folder.
#include <fstream>
#include <iterator>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "attest/app_compose.hpp"
#include "attest/ccel.hpp"
#include "attest/image_measurements.hpp"
#include "attest/quote.hpp"
#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

const std::string folder = std::string(TEETEE_SHARED_DATA) + "/attestation/";

std::string read_text(const std::string& name) {
    std::ifstream file(folder + name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

Bytes read_bytes(const std::string& name) {
    const std::string text = read_text(name);
    return Bytes(text.begin(), text.end());
}

TdReport report_of(const Bytes& quote) {
    return std::get<TdReport>(parse_quote(quote).value().report);
}

std::string text_of(const json::value& object, const char* key) {
    return std::string(object.at(key).as_string());
}

#define TT_REQUIRE_SHARED_DATA() \
    if (read_text("manifest.json").empty()) GTEST_SKIP() << "no shared data"

json::array listed_logs() {
    return json::parse(read_text("manifest.json")).at("eventlogs").as_array();
}

TEST(shared_event_log, every_real_log_replays_to_its_quote) {
    TT_REQUIRE_SHARED_DATA();
    size_t bound_count = 0;
    for (const json::value& entry : listed_logs()) {
        SCOPED_TRACE(text_of(entry, "file"));
        const auto log = replay_event_log(read_text(text_of(entry, "file")));
        ASSERT_TRUE(log) << log.error().message();
        for (size_t i = 0; i < 4; ++i) {
            EXPECT_EQ(to_hex(log->rtmr[i]), entry.at("expected_rtmr").at(i).as_string());
        }
        const TdReport report = report_of(read_bytes(text_of(entry, "quote")));
        EXPECT_TRUE(check_rtmrs(log->rtmr, report));
        const auto bound = check_mrconfigid(log->app, report);
        ASSERT_TRUE(bound) << bound.error().message();
        bound_count += *bound ? 1 : 0;
        const json::value& payloads = entry.at("payloads");
        EXPECT_EQ(to_hex(*log->app.app_id), text_of(payloads, "app-id"));
        EXPECT_EQ(to_hex(*log->app.compose_hash), text_of(payloads, "compose-hash"));
        EXPECT_EQ(log->app.instance_id ? to_hex(*log->app.instance_id) : "",
                  text_of(payloads, "instance-id"));
        EXPECT_TRUE(log->app.key_provider);
        EXPECT_TRUE(log->app.system_ready);
    }
    std::cout << listed_logs().size() << " logs, " << bound_count << " bound by MRCONFIGID\n";
    EXPECT_GE(listed_logs().size(), 8u);
}

// Each event of each log in turn: another payload, dropped, or in the place of the next one.
TEST(shared_event_log, every_changed_log_is_refused) {
    TT_REQUIRE_SHARED_DATA();
    size_t refused_count = 0;
    for (const json::value& entry : listed_logs()) {
        const json::array log = json::parse(read_text(text_of(entry, "file"))).as_array();
        const TdReport report = report_of(read_bytes(text_of(entry, "quote")));
        const auto expect_refused = [&](const json::array& changed, size_t at) {
            const auto replayed = replay_event_log(json::serialize(changed));
            EXPECT_FALSE(replayed && check_rtmrs(replayed->rtmr, report))
                << text_of(entry, "file") << " event " << at;
            ++refused_count;
        };
        for (size_t at = 0; at < log.size(); ++at) {
            json::array dropped = log;
            dropped.erase(dropped.begin() + static_cast<std::ptrdiff_t>(at));
            expect_refused(dropped, at);
            if (at + 1 < log.size() && log[at].at("imr") == log[at + 1].at("imr")) {
                json::array swapped = log;
                std::swap(swapped[at], swapped[at + 1]);
                expect_refused(swapped, at);
            }
            if (log[at].at("imr") != 3) continue;
            json::array changed = log;
            changed[at].at("event_payload") = text_of(log[at], "event_payload") + "00";
            expect_refused(changed, at);
        }
    }
    std::cout << refused_count << " changed logs refused\n";
    EXPECT_GT(refused_count, 300u);
}

TEST(shared_event_log, logs_inside_the_answers_of_guest_agents_replay) {
    TT_REQUIRE_SHARED_DATA();
    for (const char* name : {"nearai-getquote-response", "verifier-fixture-quote-report",
                             "verifier-fixture-tdx-lite-getquote", "example-rtmr3-report"}) {
        const auto answer = json::parse(read_text(std::string("dstack/") + name + ".json"));
        const auto log = replay_event_log(text_of(answer, "event_log"));
        ASSERT_TRUE(log) << name << log.error().message();
        const TdReport report = report_of(from_hex(text_of(answer, "quote")).value());
        EXPECT_TRUE(check_rtmrs(log->rtmr, report)) << name;
        EXPECT_TRUE(check_mrconfigid(log->app, report)) << name;
    }
}

TEST(shared_event_log, a_compose_hash_is_that_of_the_files_bytes) {
    TT_REQUIRE_SHARED_DATA();
    const auto info = json::parse(read_text("dstack/near-mpc-tcb_info.json"));
    const auto log = replay_event_log(json::serialize(info.at("event_log")));
    ASSERT_TRUE(log) << log.error().message();
    EXPECT_EQ(crypto::sha256(as_bytes(text_of(info, "app_compose"))), *log->app.compose_hash);
}

// What can be known before: an app's file, the registers of its image, and a log of its TD.
TEST(shared_event_log, what_a_real_td_showed_could_be_foretold) {
    TT_REQUIRE_SHARED_DATA();
    const std::string app_compose = read_text("dstack/near-mpc-app_compose.json");
    const auto app = parse_app_compose(app_compose);
    ASSERT_TRUE(app) << app.error().message();
    EXPECT_TRUE(app->no_instance_id);
    const AppMeasurement expected = measure_app(as_bytes(app_compose), {});
    const TdReport report = report_of(read_bytes("quotes/tdx4_b0c06f000000_b9e238b2.bin"));
    EXPECT_EQ(report.mrconfigid, expected.mrconfigid);
    const auto log = replay_event_log(read_text("eventlogs/b9e238b2.json"));
    ASSERT_TRUE(log) << log.error().message();
    EXPECT_EQ(*log->app.app_id, expected.app_id);
    auto rtmr3 = predict_rtmr3(*log, expected, {});
    ASSERT_TRUE(rtmr3) << rtmr3.error().message();
    // This app measured one thing itself.
    const auto last = runtime_event_digest(log->runtime_events.back());
    ASSERT_TRUE(last);
    extend_rtmr(*rtmr3, *last);
    EXPECT_EQ(*rtmr3, report.rtmr[3]);
    const auto images = parse_image_measurements(read_text("dstack/near-mpc-tcb_info.json"));
    ASSERT_TRUE(images) << images.error().message();
    EXPECT_EQ(images->front().mrtd, report.mrtd);
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(images->front().rtmr[i], report.rtmr[i]);
}

TEST(shared_event_log, firmware_logs_replay) {
    TT_REQUIRE_SHARED_DATA();
    const auto gcp = replay_ccel(read_bytes("ccel/gcp-cos113-ccel_data.dat"));
    ASSERT_TRUE(gcp) << gcp.error().message();
    EXPECT_EQ(gcp->event_count, 44u);
    const TdReport report = report_of(read_bytes("ccel/gcp-cos113-quote.dat"));
    EXPECT_TRUE(check_rtmrs(gcp->rtmr, report));
    const auto dstack = replay_ccel(read_bytes("ccel/dstack-ccel.bin"));
    ASSERT_TRUE(dstack) << dstack.error().message();
    EXPECT_EQ(dstack->event_count, 19u);
}

}  // namespace
}  // namespace teetee::attest
