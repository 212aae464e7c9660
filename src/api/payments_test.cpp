// SPDX-License-Identifier: Apache-2.0
// A real node of the story model behind the API, paid by a contract whose events the test makes.
#include <set>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "api/routes.hpp"
#include "attest/receipt_json.hpp"
#include "billing/test_world.hpp"
#include "crypto/hash.hpp"
#include "node/test_network.hpp"

namespace teetee::api {
namespace {

using billing::ChargeState;

class RecordingExchange final : public net::HttpExchange {
  public:
    void respond(net::HttpResponse response) override {
        status = response.status;
        body = response.body;
        is_done = true;
    }
    void begin_stream(int code, std::string_view, const net::HttpHeaders&) override {
        status = code;
    }
    void write(std::string_view chunk) override {
        body += chunk;
        if (on_write) on_write(chunk);
    }
    void finish() override { is_done = true; }
    void on_disconnect(std::function<void()> callback) override { disconnect = callback; }
    size_t pending_bytes() const override { return unread_bytes; }

    boost::json::object json() const { return boost::json::parse(body).as_object(); }

    int status = 0;
    std::string body;
    bool is_done = false;
    size_t unread_bytes = 0;
    std::function<void()> disconnect;
    std::function<void(std::string_view)> on_write;
};

class payments : public testing::Test {
  protected:
    payments() {
        node::NodeOptions options = network.options(0);
        options.listen = {"127.0.0.1", 0};
        node = node::Node::start({loop, clock, rng, log, tee}, options).value();
        entry = node->statement().receipt_address;
        contract.apply(chain::pool_created());
        contract.apply(chain::prices_announced({2, 5}, 0));
        contract.apply(chain::measurement_accepted());
        auto registered = chain::node_registered(1, 0);
        registered.receipt_key = entry;
        registered.host = host.address();
        registered.expiry = static_cast<uint64_t>(clock.unix_now()) + 3600;
        contract.apply(registered);
        till.emplace(
            billing::TillOptions{
                .deployment = deployment, .pool = 1, .entry = entry, .lead_tokens = 4},
            ledger, clock);
        sign_ins.emplace(
            SignIns::Options{.deployment = deployment, .entry = entry, .names = {"entry.example"}},
            clock, rng);
        desk.emplace(Billing{.deployment = deployment,
                             .pool = 1,
                             .entry = entry,
                             .till = *till,
                             .ledger = ledger,
                             .sign_ins = *sign_ins,
                             .view = [this]() -> Result<chain::MoneyView> {
                                 if (trouble) return *trouble;
                                 return contract.view();
                             },
                             .settle_now = [this] { ++settlements_asked; },
                             .log = log});
        routes.emplace(Routes::World{*node, clock, rng, &*desk});
    }

    void open_voucher(uint64_t ceiling) {
        contract.apply(chain::credits_bought(ceiling));
        auto opened = chain::voucher_opened(ceiling);
        opened.session_key = session.address();
        voucher_expiry = clock.unix_now() + 3600;
        opened.expiry = static_cast<uint64_t>(voucher_expiry);
        contract.apply(opened);
    }

    /// For a request with this body; "" for none but to raise the voucher.
    std::string spend(billing::Credits amount, std::string_view asked = "") {
        const Digest digest = chain::spend_digest(deployment, {chain::test_voucher, entry, amount});
        billing::VoucherPayment payment = {
            {chain::test_voucher, amount, session.sign_recoverable(digest)}, std::nullopt};
        if (asked.empty()) return encode_payment(payment);
        const chain::RequestTerms terms = {
            .voucher = chain::test_voucher,
            .entry = entry,
            .body_hash = crypto::sha256(as_bytes(asked)),
            .time_ms = static_cast<uint64_t>(clock.unix_now()) * 1000 + ++requests};
        payment.proof = {terms.time_ms,
                         session.sign_recoverable(chain::request_digest(deployment, terms))};
        return encode_payment(payment);
    }

    /// The header of a host that has signed in.
    std::string sign_in(const crypto::SecpKey& wallet) {
        const auto message = ask(
            "/v1/sign-in", "{\"address\":\"" + chain::to_checksum_text(wallet.address()) + "\"}");
        EXPECT_EQ(message->status, 200) << message->body;
        const std::string text(message->json().at("message").as_string());
        const auto signature = wallet.sign_recoverable(chain::personal_digest(text));
        const boost::json::object signed_in = {{"message", text},
                                               {"signature", "0x" + to_hex(signature)}};
        const auto token = ask("/v1/sign-in/token", boost::json::serialize(signed_in));
        EXPECT_EQ(token->status, 200) << token->body;
        return "host token=" + std::string(token->json().at("token").as_string());
    }

    static net::HttpRequest request_of(const std::string& path, const std::string& text,
                                       const std::string& method) {
        net::HttpRequest request;
        request.method = method;
        request.target = request.path = path;
        request.body = text;
        return request;
    }

    std::shared_ptr<RecordingExchange> begin(const std::string& path, const std::string& text,
                                             const std::string& payment = "",
                                             const std::string& method = "POST") {
        auto exchange = std::make_shared<RecordingExchange>();
        net::HttpRequest request = request_of(path, text, method);
        request.headers.insert({"host", "entry.example"});
        if (!payment.empty()) request.headers.insert({"teetee-payment", payment});
        if (!bearer.empty()) request.headers.insert({"authorization", "Bearer " + bearer});
        routes->handle(std::move(request), exchange);
        return exchange;
    }

    void run_until(const std::function<bool()>& condition) {
        bool is_late = false;
        const net::Timer deadline = loop.call_after(std::chrono::seconds(30), [&] {
            is_late = true;
            loop.stop();
        });
        net::Timer poll;
        std::function<void()> check = [&] {
            if (condition()) return loop.stop();
            poll = loop.call_after(std::chrono::milliseconds(1), check);
        };
        check();
        if (!condition()) loop.run();
        EXPECT_FALSE(is_late);
    }

    std::shared_ptr<RecordingExchange> ask(const std::string& path, const std::string& text,
                                           const std::string& payment = "",
                                           const std::string& method = "POST") {
        auto exchange = begin(path, text, payment, method);
        run_until([&] { return exchange->is_done && till->holds() == 0; });
        return exchange;
    }

    std::string error_of(const RecordingExchange& exchange) {
        return std::string(exchange.json().at("error").at("code").as_string());
    }

    attest::Receipt receipt_of(const RecordingExchange& exchange) {
        const std::string path(exchange.json().at("receipt").as_string());
        const auto fetched = ask(path, "", "", "GET");
        return attest::parse_receipt(fetched->body).value();
    }

    const chain::Deployment deployment = {84532, {0xc0}};
    const crypto::SecpKey session = crypto::SecpKey::from_bytes(Bytes(32, 5)).value();
    const crypto::SecpKey host = crypto::SecpKey::from_bytes(Bytes(32, 6)).value();
    const std::string body = R"({"prompt":"Once upon a time","max_tokens":12,"temperature":0})";
    node::test::TestNetwork network{1};
    net::Loop loop;
    SystemClock clock;
    SystemRng rng;
    node::test::RecordingLog log;
    attest::DevTee tee = attest::test::make_tee();
    std::unique_ptr<node::Node> node;
    crypto::Address entry{};
    billing::test::Contract contract = billing::test::Contract(billing::test::Contract::Empty{});
    billing::test::MemoryLedger ledger;
    std::optional<Error> trouble;
    std::string bearer;
    uint64_t requests = 0;
    int settlements_asked = 0;
    UnixSeconds voucher_expiry = 0;
    std::optional<billing::Till> till;
    std::optional<SignIns> sign_ins;
    std::optional<Billing> desk;
    std::optional<Routes> routes;
};

TEST_F(payments, terms_are_told) {
    const auto terms = ask("/v1/payment", "", "", "GET")->json();
    EXPECT_EQ(terms.at("prompt_price").as_string(), "2");
    EXPECT_EQ(terms.at("completion_price").as_string(), "5");
    EXPECT_EQ(terms.at("entry").as_string(), chain::to_checksum_text(entry));
    Routes free({*node, clock, rng});
    auto exchange = std::make_shared<RecordingExchange>();
    free.handle(request_of("/v1/payment", "", "GET"), exchange);
    EXPECT_EQ(exchange->body, "{\"free\":true}\n");
}

TEST_F(payments, an_answer_is_charged_and_its_receipt_says_so) {
    EXPECT_EQ(error_of(*ask("/generate", body)), "payment_required");
    EXPECT_EQ(error_of(*ask("/generate", body, spend(500, body))), "voucher_unknown");
    open_voucher(1000);
    const auto answer = ask("/generate", body, spend(500, body));
    ASSERT_EQ(answer->status, 200) << answer->body;
    const auto usage = answer->json().at("usage").as_object();
    const int64_t price =
        2 * usage.at("prompt_tokens").as_int64() + 5 * usage.at("completion_tokens").as_int64();
    const attest::Receipt receipt = receipt_of(*answer);
    EXPECT_EQ(receipt.payment.charged, static_cast<uint64_t>(price));
    EXPECT_EQ(receipt.payment.voucher, chain::test_voucher);
    ASSERT_EQ(ledger.charges.size(), 1u);
    const billing::Charge& charge = ledger.charges[0].charge;
    EXPECT_EQ(charge.amount, static_cast<uint64_t>(price));
    EXPECT_EQ(charge.receipt, attest::receipt_digest(receipt));
    EXPECT_EQ(charge.nodes, std::vector<crypto::Address>{entry});
    EXPECT_EQ(charge.request, receipt.request);
    const auto anchor =
        ask(std::string(answer->json().at("receipt").as_string()) + "/anchor", "", "", "GET");
    EXPECT_EQ(anchor->json().at("state").as_string(), "unsettled");
    EXPECT_EQ(ask("/v1/receipts/" + std::string(32, '0') + "/anchor", "", "", "GET")->status, 404);
}

TEST_F(payments, an_answer_ends_where_its_voucher_does) {
    // The prompt costs 2 a token; 30 more are six tokens of the answer.
    const auto prompt = node->tokenizer().encode("Once upon a time", {.add_special = true});
    open_voucher(2 * prompt.value().size() + 30);
    const auto answer = ask("/generate", body, spend(100'000, body));
    ASSERT_EQ(answer->status, 200) << answer->body;
    EXPECT_EQ(answer->json().at("usage").at("completion_tokens").as_int64(), 6);
    EXPECT_EQ(answer->json().at("finish_reason").as_string(), "length");
    EXPECT_EQ(receipt_of(*answer).payment.charged, 2 * prompt.value().size() + 30);
    EXPECT_EQ(error_of(*ask("/generate", body, spend(100'000, body))), "voucher_exhausted");
}

TEST_F(payments, a_stream_goes_on_as_far_as_is_signed_for) {
    open_voucher(1000);
    const auto prompt = node->tokenizer().encode("Once upon a time", {.add_special = true});
    const uint64_t lead = 2 * prompt.value().size() + 4 * 5;
    const std::string stream =
        R"({"prompt":"Once upon a time","max_tokens":12,"temperature":0,"stream":true})";
    const auto short_one = ask("/generate", stream, spend(lead, stream));
    EXPECT_NE(short_one->body.find("\"ended_by\":\"payment\""), std::string::npos);
    EXPECT_NE(short_one->body.find(": payment charged=0 held=" + std::to_string(lead)),
              std::string::npos);
    EXPECT_NE(short_one->body.find("\"completion_tokens\":4"), std::string::npos);
    EXPECT_NE(short_one->body.find("[DONE]"), std::string::npos);
    // The same, and it is raised while it runs.
    const uint64_t charged = ledger.charges[0].charge.amount;
    EXPECT_EQ(charged, lead);
    auto exchange = std::make_shared<RecordingExchange>();
    bool is_raised = false;
    exchange->on_write = [&](std::string_view) {
        if (std::exchange(is_raised, true)) return;
        const auto raised = begin("/v1/payment/raise", "", spend(900));
        EXPECT_EQ(raised->json().at("signed").as_string(), "900");
    };
    net::HttpRequest request = request_of("/generate", stream, "POST");
    request.headers.insert({"teetee-payment", spend(charged + lead, stream)});
    routes->handle(std::move(request), exchange);
    run_until([&] { return exchange->is_done && till->holds() == 0; });
    EXPECT_NE(exchange->body.find("\"completion_tokens\":12"), std::string::npos);
    EXPECT_EQ(exchange->body.find("ended_by"), std::string::npos);
}

TEST_F(payments, a_client_that_leaves_pays_for_what_it_had) {
    open_voucher(1000);
    const std::string stream =
        R"({"prompt":"Once upon a time","max_tokens":200,"temperature":0,"stream":true})";
    const auto exchange = begin("/generate", stream, spend(900, stream));
    run_until([&] { return exchange->body.find("\"text\"") != std::string::npos; });
    exchange->disconnect();
    run_until([&] { return till->holds() == 0; });
    ASSERT_EQ(ledger.charges.size(), 1u);
    EXPECT_GT(ledger.charges[0].charge.completion_tokens, 0u);
}

TEST_F(payments, a_client_that_does_not_read_pays_for_what_it_was_sent) {
    open_voucher(1000);
    const std::string stream =
        R"({"prompt":"Once upon a time","max_tokens":100,"temperature":0,"stream":true})";
    const auto exchange = begin("/generate", stream, spend(900, stream));
    size_t texts = 0;
    exchange->on_write = [&](std::string_view chunk) {
        texts += chunk.find("\"text\"") != std::string_view::npos ? 1 : 0;
        if (texts == 3) exchange->unread_bytes = 1 << 30;
    };
    run_until([&] { return till->holds() == 0; });
    EXPECT_NE(exchange->body.find("event: error"), std::string::npos);
    EXPECT_NE(exchange->body.find("\"receipt\":\"/v1/receipts/"), std::string::npos);
    ASSERT_EQ(ledger.charges.size(), 1u);
    const billing::Charge& charge = ledger.charges[0].charge;
    EXPECT_GE(charge.completion_tokens, 3u);
    EXPECT_EQ(charge.amount, 2 * charge.prompt_tokens + 5 * charge.completion_tokens);
}

TEST_F(payments, an_answer_whose_time_is_over_is_charged_as_far_as_it_was_sent) {
    open_voucher(100'000);
    boost::json::object request = {
        {"prompt", "Once upon a time"}, {"max_tokens", 450}, {"temperature", 0}, {"stream", true}};
    // The first of these times after which there is a token; the answer takes longer.
    for (double seconds = 0.01; ledger.charges.empty() && seconds < 10; seconds *= 2) {
        request["timeout"] = seconds;
        const auto exchange = begin("/generate", boost::json::serialize(request),
                                    spend(100'000, boost::json::serialize(request)));
        run_until([&] { return till->holds() == 0; });
        EXPECT_NE(exchange->body.find("deadline_exceeded"), std::string::npos);
    }
    ASSERT_EQ(ledger.charges.size(), 1u);
    const billing::Charge& charge = ledger.charges[0].charge;
    EXPECT_GT(charge.completion_tokens, 0u);
    EXPECT_LT(charge.completion_tokens, 450u);
    EXPECT_EQ(charge.amount, 2 * charge.prompt_tokens + 5 * charge.completion_tokens);
}

TEST_F(payments, a_prompt_that_its_client_gives_up_stays_held) {
    open_voucher(1000);
    std::string prompt;
    for (int i = 0; i < 60; ++i) prompt += "Once upon a time ";
    const boost::json::object request = {{"prompt", prompt}, {"max_tokens", 5}, {"stream", true}};
    const auto exchange = begin("/generate", boost::json::serialize(request),
                                spend(1000, boost::json::serialize(request)));
    ASSERT_EQ(exchange->status, 200) << exchange->body;
    exchange->disconnect();
    EXPECT_EQ(till->holds(), 0u);
    EXPECT_TRUE(ledger.charges.empty());
    EXPECT_GT(till->standing(chain::test_voucher)->held, 0u);
}

TEST_F(payments, an_answer_that_cannot_be_charged_has_no_receipt_that_says_it_was) {
    open_voucher(1000);
    ledger.is_full = true;
    const auto answer = ask("/generate", body, spend(500, body));
    ASSERT_EQ(answer->status, 200) << answer->body;
    const std::string path(answer->json().at("receipt").as_string());
    EXPECT_NE(ask(path, "", "", "GET")->status, 200);
    EXPECT_EQ(error_of(*ask("/generate", body, spend(500, body))), "not_ready");
}

/// The answer is one token again and again, so that passes yield several: whichever of them brings
/// the stop string, the receipt is of those up to it.
TEST_F(payments, a_stop_string_inside_a_pass_ends_what_is_signed_for_and_charged) {
    open_voucher(1'000'000);
    const std::string word = " little";
    const TokenId token = node->tokenizer().encode("a" + word, {}).value().back();
    const boost::json::object bias = {{std::to_string(token), 100}};
    std::string stop = word;
    for (uint32_t count = 2; count < 30; ++count) {
        stop += word;
        const boost::json::object request = {{"prompt", "Once upon a time"},
                                             {"max_tokens", 60},
                                             {"temperature", 0},
                                             {"stop", stop},
                                             {"logit_bias", bias}};
        const auto answer = ask("/v1/completions", boost::json::serialize(request),
                                spend(1'000'000, boost::json::serialize(request)));
        ASSERT_EQ(answer->status, 200) << answer->body;
        const attest::Receipt receipt = receipt_of(*answer);
        EXPECT_EQ(receipt.completion_tokens, count);
        EXPECT_EQ(receipt.input.end(), receipt.prompt_tokens + count - 1);
        EXPECT_EQ(receipt.opening.answer.size(), count);
        EXPECT_EQ(answer->json().at("usage").at("completion_tokens").as_int64(), count);
        EXPECT_EQ(receipt.payment.charged, 2 * receipt.prompt_tokens + 5 * count);
    }
    EXPECT_GT(node->status().counters.drafts_right, 0u);
}

TEST_F(payments, a_query_is_paid_for_one_request) {
    auto paid = chain::query_paid(1, 1000);
    paid.entry = entry;
    paid.request_hash = crypto::sha256(as_bytes(body));
    paid.max_completion_tokens = 5;
    paid.deadline = static_cast<uint64_t>(clock.unix_now()) + 600;
    contract.apply(paid);
    EXPECT_EQ(error_of(*ask("/generate", R"({"prompt":"other"})", "query id=1")), "query_mismatch");
    const auto answer = ask("/generate", body, "query id=1");
    ASSERT_EQ(answer->status, 200) << answer->body;
    EXPECT_EQ(answer->json().at("usage").at("completion_tokens").as_int64(), 5);
    EXPECT_EQ(receipt_of(*answer).payment.query, 1u);
    EXPECT_EQ(error_of(*ask("/generate", body, "query id=1")), "query_unknown");
}

TEST_F(payments, a_host_signs_in_and_pays_nothing) {
    const std::string payment = sign_in(host);
    const auto answer = ask("/generate", body, payment);
    ASSERT_EQ(answer->status, 200) << answer->body;
    EXPECT_TRUE(receipt_of(*answer).payment.is_free());
    EXPECT_TRUE(ledger.charges.empty());
    EXPECT_EQ(ask("/generate", body, "host token=" + std::string(64, '0'))->status, 401);
    contract.apply(chain::tee_tee::NodeLeftEvent{.pool = 1, .node = 1});
    EXPECT_EQ(ask("/generate", body, payment)->status, 403);
}

TEST_F(payments, the_host_of_this_entry_has_it_settle) {
    EXPECT_EQ(error_of(*ask("/v1/payment/settle", "")), "payment_malformed");
    const std::string payment = sign_in(host);
    const auto settled = ask("/v1/payment/settle", "", payment);
    ASSERT_EQ(settled->status, 200) << settled->body;
    EXPECT_EQ(settled->json().at("unsettled").as_string(), "0");
    EXPECT_EQ(settlements_asked, 1);
    EXPECT_EQ(ask("/v1/payment/settle", "", "host token=" + std::string(64, '0'))->status, 401);
    // A host of the pool, but of another node than the entry.
    const auto neighbour = crypto::SecpKey::from_bytes(Bytes(32, 77)).value();
    auto registered = chain::node_registered(2);
    registered.host = neighbour.address();
    registered.receipt_key = {0x77};
    registered.expiry = static_cast<uint64_t>(clock.unix_now()) + 3600;
    contract.apply(registered);
    EXPECT_EQ(error_of(*ask("/v1/payment/settle", "", sign_in(neighbour))), "host_unknown");
    EXPECT_EQ(settlements_asked, 1);
}

TEST_F(payments, who_is_no_host_has_no_token) {
    const auto message =
        ask("/v1/sign-in", "{\"address\":\"" + chain::to_checksum_text(session.address()) + "\"}");
    const std::string text(message->json().at("message").as_string());
    const boost::json::object signed_in = {
        {"message", text},
        {"signature", "0x" + to_hex(session.sign_recoverable(chain::personal_digest(text)))}};
    const auto token = ask("/v1/sign-in/token", boost::json::serialize(signed_in));
    EXPECT_EQ(token->status, 403) << token->body;
}

TEST_F(payments, a_key_pays_from_the_voucher_that_it_was_made_for) {
    open_voucher(1000);
    const std::string asked = R"({"purpose":"api key","expires_in":60})";
    // The sum alone, which a settlement makes public, makes no key; nor does a proof for an answer.
    EXPECT_EQ(error_of(*ask("/v1/api-keys", asked, spend(900))), "payment_malformed");
    EXPECT_EQ(error_of(*ask("/v1/api-keys", asked, spend(900, body))), "signature_invalid");
    EXPECT_EQ(error_of(*ask("/v1/api-keys", body, spend(900, body))), "field_invalid");
    EXPECT_EQ(error_of(*ask("/v1/api-keys", asked)), "payment_malformed");
    const std::string payment = spend(900, asked);
    const auto made = ask("/v1/api-keys", asked, payment);
    ASSERT_EQ(made->status, 200) << made->body;
    EXPECT_EQ(error_of(*ask("/v1/api-keys", asked, payment)), "payment_in_use");
    // Without a limit of its own it is as good as its voucher.
    const std::string longest = R"({"purpose":"api key"})";
    const auto as_long_as_it_can = ask("/v1/api-keys", longest, spend(900, longest));
    EXPECT_EQ(as_long_as_it_can->json().at("expires").as_int64(), voucher_expiry);
    bearer = std::string(made->json().at("key").as_string());
    for (int i = 0; i < 2; ++i) {
        const auto answer = ask("/generate", body);
        ASSERT_EQ(answer->status, 200) << answer->body;
        EXPECT_EQ(receipt_of(*answer).payment.voucher, chain::test_voucher);
    }
    EXPECT_EQ(ledger.charges.size(), 2u);
    const std::string revocation = R"({"key":")" + bearer + "\"}";
    EXPECT_EQ(ask("/v1/api-keys/revoke", revocation)->status, 200);
    EXPECT_EQ(ask("/v1/api-keys/revoke", revocation)->status, 401);
    EXPECT_EQ(ask("/generate", body)->status, 401);
    bearer.clear();
    EXPECT_EQ(ask("/generate", body)->status, 402);
}

TEST_F(payments, a_key_of_a_host_is_good_while_it_has_a_node) {
    const auto made = ask("/v1/api-keys", R"({"purpose":"api key"})", sign_in(host));
    ASSERT_EQ(made->status, 200) << made->body;
    bearer = std::string(made->json().at("key").as_string());
    const auto answer = ask("/generate", body);
    ASSERT_EQ(answer->status, 200) << answer->body;
    EXPECT_TRUE(receipt_of(*answer).payment.is_free());
    contract.apply(chain::tee_tee::NodeLeftEvent{.pool = 1, .node = 1});
    EXPECT_EQ(ask("/generate", body)->status, 403);
}

TEST_F(payments, each_of_several_answers_is_charged) {
    open_voucher(10'000);
    const std::string several =
        R"({"prompt":"Once upon a time","max_tokens":4,"temperature":0,"n":3})";
    const auto refused = ask("/v1/completions", several, spend(40, several));
    EXPECT_EQ(error_of(*refused), "payment_required");
    const auto answer = ask("/v1/completions", several, spend(5000, several));
    ASSERT_EQ(answer->status, 200) << answer->body;
    const auto told = answer->json();
    EXPECT_EQ(told.at("choices").as_array().size(), 3u);
    run_until([&] { return ledger.charges.size() == 3; });
    std::set<std::string> receipts;
    for (const auto& choice : told.at("choices").as_array())
        receipts.emplace(choice.at("receipt").as_string());
    EXPECT_EQ(receipts.size(), 3u);
    EXPECT_EQ(till->holds(), 0u);
}

TEST_F(payments, answers_of_a_reply_that_is_never_sent_are_not_charged) {
    open_voucher(100'000);
    // Four answers, each of which is over with its first "a".
    const boost::json::object asked = {{"prompt", {"Once upon a time", "The cat"}},
                                       {"max_tokens", 400},
                                       {"temperature", 1},
                                       {"seed", 1},
                                       {"n", 2},
                                       {"stop", "a"}};
    const std::string text = boost::json::serialize(asked);
    const auto exchange = begin("/v1/completions", text, spend(50'000, text));
    const size_t all = node->status().active_count + node->status().queued_count;
    ASSERT_EQ(all, 4u);
    run_until([&] {
        const node::NodeStatus status = node->status();
        return exchange->is_done || status.active_count + status.queued_count < all;
    });
    ASSERT_FALSE(exchange->is_done);
    EXPECT_TRUE(ledger.charges.empty());
    exchange->disconnect();
    run_until([&] { return till->holds() == 0; });
    // Who leaves pays for prompts, and for no token of what was never sent.
    EXPECT_FALSE(ledger.charges.empty());
    for (const auto& kept : ledger.charges)
        EXPECT_EQ(kept.charge.amount, 2 * kept.charge.prompt_tokens);
}

TEST_F(payments, each_of_many_embeddings_is_charged) {
    open_voucher(10'000);
    const std::string many =
        R"({"input":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16",)"
        R"("17","18","19","20"]})";
    EXPECT_EQ(error_of(*ask("/v1/embeddings", many, spend(100, many))), "payment_required");
    EXPECT_TRUE(ledger.charges.empty());
    const auto answer = ask("/v1/embeddings", many, spend(5000, many));
    ASSERT_EQ(answer->status, 200) << answer->body;
    EXPECT_EQ(answer->json().at("data").as_array().size(), 20u);
    run_until([&] { return ledger.charges.size() == 20; });
    EXPECT_EQ(till->holds(), 0u);
}

TEST_F(payments, the_answers_to_a_hosts_request_are_one_request) {
    const std::string payment = sign_in(host);
    const std::string several =
        R"({"prompt":"Once upon a time","max_tokens":4,"temperature":0,"n":9})";
    const auto answer = ask("/v1/completions", several, payment);
    ASSERT_EQ(answer->status, 200) << answer->body;
    EXPECT_EQ(answer->json().at("choices").as_array().size(), 9u);
}

TEST_F(payments, nothing_is_taken_while_the_chain_is_in_doubt) {
    open_voucher(1000);
    trouble = fail(ErrorCode::rpc_disagreement, "block 7: http://secret-endpoint says otherwise");
    const auto refused = ask("/generate", body, spend(900, body));
    EXPECT_EQ(refused->status, 503);
    EXPECT_EQ(refused->body.find("secret-endpoint"), std::string::npos);
}

}  // namespace
}  // namespace teetee::api
