// SPDX-License-Identifier: Apache-2.0
#include "net/pcs_client.hpp"

#include <filesystem>
#include <unistd.h>

#include "attest/dev_node.hpp"
#include "net/file.hpp"
#include "net/pcs_fake.hpp"
#include "net/web_pki_fakes.hpp"

namespace teetee::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* tcb = "/tdx/certification/v4/tcb";
constexpr const char* qe_identity = "/tdx/certification/v4/qe/identity";
constexpr const char* pck_crl = "/sgx/certification/v4/pckcrl";
constexpr const char* root_crl = "/sgx/certification/v4/rootcacrl";

const attest::PlatformId dev_platform = {
    attest::TeeType::tdx, {'D', 'E', 'V', 'T', 'E', 'E'}, attest::PckCa::platform};

class ZeroRng final : public Rng {
  public:
    void fill(std::span<uint8_t> out) override { std::ranges::fill(out, uint8_t{0}); }
};

class pcs_client : public testing::Test {
  protected:
    /// Waits are written down and not waited.
    PcsOptions options() {
        PcsOptions out;
        out.url = pcs.url();
        out.time_max = seconds(10);
        out.wait = [this](Duration time, const std::stop_token&) { waits.push_back(time); };
        return out;
    }
    Result<attest::Collateral> fetch(const PcsOptions& with) {
        return PcsClient::create(with)->fetch(dev_platform, attest::TcbUpdate::standard, rng);
    }
    Result<attest::Collateral> fetch() { return fetch(options()); }

    void expect_unavailable(const std::string& place, const std::string& reason) {
        const auto fetched = fetch();
        ASSERT_FALSE(fetched) << reason;
        EXPECT_EQ(fetched.error().code, ErrorCode::collateral_unavailable);
        for (const std::string& part : {pcs.url() + place, reason}) {
            EXPECT_NE(fetched.error().detail.find(part), std::string::npos)
                << fetched.error().detail;
        }
    }

    attest::Collateral need = attest::test::make_tee().collateral(attest::test::now).value();
    FakePcs pcs{need};
    std::vector<Duration> waits;
    ZeroRng rng;
};

TEST_F(pcs_client, gets_what_intel_signed_byte_for_byte) {
    const auto fetched = fetch();
    ASSERT_TRUE(fetched) << fetched.error().message();
    EXPECT_EQ(*fetched, need);
    EXPECT_EQ(pcs.asked(), (std::vector<std::string>{
                               "/tdx/certification/v4/tcb?fmspc=444556544545&update=standard",
                               "/tdx/certification/v4/qe/identity?update=standard",
                               "/sgx/certification/v4/pckcrl?ca=platform&encoding=der", root_crl}));
    EXPECT_TRUE(waits.empty());
}

TEST_F(pcs_client, asks_for_the_early_evaluation) {
    ASSERT_TRUE(PcsClient::create(options())->fetch(dev_platform, attest::TcbUpdate::early, rng));
    EXPECT_EQ(pcs.asked()[0], "/tdx/certification/v4/tcb?fmspc=444556544545&update=early");
    EXPECT_EQ(pcs.asked()[1], "/tdx/certification/v4/qe/identity?update=early");
}

TEST_F(pcs_client, takes_urls_as_intels_configuration_has_them) {
    for (const char* ending :
         {"/", "/sgx/certification/v4", "/sgx/certification/v4/", "/tdx/certification/v4/"}) {
        PcsOptions with = options();
        with.url += ending;
        EXPECT_EQ(PcsClient::create(with)->url(), pcs.url()) << ending;
    }
    for (const char* bad : {"", "pccs.example", "ftp://x", "https://x/?a=b", "https://x/#a"}) {
        PcsOptions with = options();
        with.url = bad;
        EXPECT_EQ(PcsClient::create(with).error().code, ErrorCode::address_invalid) << bad;
    }
}

TEST_F(pcs_client, says_that_a_platform_is_unknown) {
    auto other = dev_platform;
    other.fmspc = {1, 2, 3, 4, 5, 6};
    const auto fetched =
        PcsClient::create(options())->fetch(other, attest::TcbUpdate::standard, rng);
    EXPECT_EQ(fetched.error().code, ErrorCode::collateral_unavailable);
    for (const char* part : {"fmspc=010203040506", "404", "knows nothing of such a platform"}) {
        EXPECT_NE(fetched.error().detail.find(part), std::string::npos) << fetched.error().detail;
    }
    // It will know nothing of it in a second either.
    EXPECT_EQ(pcs.asked_count(), 1u);
}

TEST_F(pcs_client, waits_as_long_as_a_busy_service_wishes) {
    pcs.next_status(tcb, 429, {{"retry-after", "7"}});
    pcs.next_status(pck_crl, 503, {{"retry-after", "60"}});
    EXPECT_EQ(fetch().value(), need);
    EXPECT_EQ(waits, (std::vector<Duration>{seconds(7), seconds(60)}));
}

TEST_F(pcs_client, does_not_ask_before_a_long_wish_is_over) {
    pcs.next_status(tcb, 429, {{"retry-after", "61"}});
    expect_unavailable(tcb, "429");
    EXPECT_TRUE(waits.empty());
    EXPECT_EQ(pcs.asked_count(), 1u);
}

TEST_F(pcs_client, tries_again_ever_more_slowly_when_a_service_stumbles) {
    for (const int status : {500, 502, 504}) pcs.next_status(qe_identity, status);
    pcs.next_status(root_crl, 429, {{"retry-after", "Fri, 31 Dec 1999 23:59:59 GMT"}});
    EXPECT_EQ(fetch().value(), need);
    EXPECT_EQ(waits, (std::vector<Duration>{seconds(1), seconds(2), seconds(4), seconds(1)}));
}

TEST_F(pcs_client, gives_up_when_a_service_does_not_recover) {
    for (int i = 0; i < 4; ++i) pcs.next_status(root_crl, 503);
    expect_unavailable(root_crl, "503");
    EXPECT_EQ(waits.size(), 3u);
}

TEST_F(pcs_client, does_not_repeat_what_was_refused) {
    for (const int status : {301, 400, 401, 403, 410}) {
        pcs.next_status(tcb, status);
        expect_unavailable(tcb, std::to_string(status));
    }
    EXPECT_TRUE(waits.empty());
}

TEST_F(pcs_client, a_silent_service_is_asked_again_and_given_up) {
    PcsOptions hasty = options();
    hasty.time_max = milliseconds(100);
    hasty.tries_max = 2;
    pcs.next_never(tcb);
    EXPECT_EQ(fetch(hasty).value(), need);
    pcs.next_never(tcb);
    pcs.next_never(tcb);
    const auto fetched = fetch(hasty);
    EXPECT_EQ(fetched.error().code, ErrorCode::collateral_unavailable);
    EXPECT_NE(fetched.error().detail.find("timed_out"), std::string::npos);
}

TEST_F(pcs_client, nobody_there_is_told_by_address) {
    PcsOptions nowhere = options();
    nowhere.url = "http://127.0.0.1:1";
    const auto fetched = fetch(nowhere);
    EXPECT_EQ(fetched.error().code, ErrorCode::collateral_unavailable);
    EXPECT_NE(fetched.error().detail.find("127.0.0.1:1"), std::string::npos);
    EXPECT_EQ(waits.size(), 3u);
}

TEST_F(pcs_client, an_answer_that_breaks_off_is_asked_for_again) {
    const auto break_off = [](const auto&, const auto& exchange, const HttpResponse& response) {
        exchange->begin_stream(200, response.content_type, response.headers);
        exchange->write(response.body.substr(0, response.body.size() / 2));
        // Dropped without an end.
    };
    pcs.next(tcb, break_off);
    const auto fetched = fetch();
    ASSERT_TRUE(fetched) << fetched.error().message();
    EXPECT_EQ(*fetched, need);
    EXPECT_EQ(waits.size(), 1u);
}

TEST_F(pcs_client, refuses_an_endless_answer) {
    pcs.next_change(pck_crl, [](HttpResponse& response) { response.body.assign(8u << 20, '3'); });
    const auto fetched = fetch();
    EXPECT_EQ(fetched.error().code, ErrorCode::collateral_unavailable);
    EXPECT_NE(fetched.error().detail.find("body_too_large"), std::string::npos)
        << fetched.error().detail;
}

TEST_F(pcs_client, refuses_an_answer_without_the_signers_chain) {
    pcs.next_change(tcb, [](HttpResponse& response) { response.headers.clear(); });
    const auto fetched = fetch();
    EXPECT_EQ(fetched.error().code, ErrorCode::collateral_malformed);
    EXPECT_NE(fetched.error().detail.find("tcb-info-issuer-chain"), std::string::npos)
        << fetched.error().detail;
}

TEST_F(pcs_client, ends_when_it_is_no_longer_wanted) {
    std::stop_source stop;
    pcs.next(tcb, [&stop](const auto&, const auto&, const HttpResponse&) { stop.request_stop(); });
    const auto fetched = PcsClient::create(options())->fetch(
        dev_platform, attest::TcbUpdate::standard, rng, stop.get_token());
    EXPECT_EQ(fetched.error().code, ErrorCode::cancelled);
    wait_for(std::chrono::hours(1), stop.get_token());
}

TEST(pcs_client_tls, asks_over_https_whom_the_web_knows) {
    const WebCa ca;
    std::string folder = testing::TempDir() + "teetee-pcs-" + std::string(6, 'X');
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    ASSERT_TRUE(write_file_atomic(folder + "/ca.pem", as_bytes(ca.pem())));
    HttpServerOptions server;
    server.tls = TlsContext::build_server(ca.issue({.names = "DNS:localhost"})).value();
    const auto need = attest::test::make_tee().collateral(attest::test::now).value();
    FakePcs pcs(need, server);
    PcsOptions options;
    options.url = pcs.url();
    options.ca_file = folder + "/ca.pem";
    ZeroRng rng;
    const auto fetch = [&] {
        return PcsClient::create(options)->fetch(dev_platform, attest::TcbUpdate::standard, rng);
    };
    EXPECT_EQ(fetch().value(), need);
    const size_t asked = pcs.asked_count();
    options.ca_file.clear();
    const auto refused = fetch();
    EXPECT_EQ(refused.error().code, ErrorCode::collateral_unavailable);
    EXPECT_NE(refused.error().detail.find("local issuer"), std::string::npos)
        << refused.error().detail;
    EXPECT_EQ(pcs.asked_count(), asked);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace teetee::net
