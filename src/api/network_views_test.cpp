// SPDX-License-Identifier: Apache-2.0
// A real node of the story model behind the API, on no chain.
#include "api/network_views.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "api/routes.hpp"
#include "crypto/hash.hpp"
#include "model/manifest.hpp"
#include "node/test_network.hpp"

namespace teetee::api {
namespace {

class KeptExchange final : public net::HttpExchange {
  public:
    void respond(net::HttpResponse given) override { response = std::move(given); }
    void begin_stream(int, std::string_view, const net::HttpHeaders&) override {}
    void write(std::string_view) override {}
    void finish() override {}
    void on_disconnect(std::function<void()>) override {}
    size_t pending_bytes() const override { return 0; }

    net::HttpResponse response;
};

class network_views : public testing::Test {
  protected:
    network_views() {
        node::NodeOptions options = network.options(0);
        options.listen = {"127.0.0.1", 0};
        options.api_url = "http://entry.example";
        node = node::Node::start({loop, clock, rng, log, tee}, options).value();
        routes.emplace(Routes::World{*node, clock, rng});
    }

    net::HttpResponse get(const std::string& path, net::HttpHeaders headers = {}) {
        auto exchange = std::make_shared<KeptExchange>();
        net::HttpRequest request;
        request.method = "GET";
        request.headers = std::move(headers);
        request.path = path.substr(0, path.find('?'));
        if (path.find('?') != std::string::npos) request.query = path.substr(path.find('?') + 1);
        routes->handle(std::move(request), exchange);
        return exchange->response;
    }
    boost::json::object json(const std::string& path) {
        return boost::json::parse(get(path).content()).as_object();
    }

    node::test::TestNetwork network{1};
    net::Loop loop;
    SystemClock clock;
    SystemRng rng;
    node::test::RecordingLog log;
    attest::DevTee tee = attest::test::make_tee();
    std::unique_ptr<node::Node> node;
    std::optional<Routes> routes;
};

TEST_F(network_views, policy_and_manifest_come_to_the_byte) {
    const auto policy = get("/v1/policy");
    EXPECT_EQ(policy.content_type, "application/json");
    EXPECT_EQ(crypto::sha256(as_bytes(policy.content())), node->statement().policy_hash);
    const auto manifest = model::parse_manifest(get("/v1/manifest").content());
    ASSERT_TRUE(manifest) << manifest.error().message();
    EXPECT_EQ(manifest->model_root, node->statement().model_root);
    EXPECT_EQ(model::encode_manifest(*manifest), get("/v1/manifest").content());
}

TEST_F(network_views, the_network_is_told_as_it_was_seen) {
    const auto told = json("/v1/network");
    EXPECT_EQ(told.at("object").as_string(), "network");
    EXPECT_TRUE(told.at("chain").is_null());
    EXPECT_EQ(told.at("policy_hash").as_string(), to_hex(node->statement().policy_hash));
    const auto& model = told.at("model").as_object();
    EXPECT_EQ(model.at("name").as_string(), node->model_id());
    EXPECT_EQ(model.at("shards").as_array().size(), 1u);
    EXPECT_EQ(model.at("layers"), model.at("shards").at(0).at(1));
    const std::string id = to_hex(node->statement().receipt_address);
    EXPECT_EQ(told.at("entry").as_string(), id);
    EXPECT_EQ(told.at("routes").at(0).at(0).as_string(), id);
    const auto& self = told.at("nodes").at(0).as_object();
    EXPECT_EQ(self.at("node").as_string(), id);
    EXPECT_TRUE(self.at("entry").as_bool());
    EXPECT_TRUE(self.at("linked").as_bool());
    EXPECT_EQ(self.at("api_url").as_string(), "http://entry.example");
    EXPECT_TRUE(self.at("api_tls_url").is_null());
    const auto& history = self.at("history").as_object();
    EXPECT_EQ(history.at("seconds").to_number<int>(), 300);
    EXPECT_EQ(history.at("from").to_number<int64_t>() % 300, 0);
    const auto& bucket = history.at("buckets").as_array().back();
    EXPECT_EQ(bucket.at("probes"), bucket.at("answered"));
    EXPECT_GE(bucket.at("probes").to_number<int>(), 1);
    const auto brief = json("/v1/network?history=none");
    EXPECT_TRUE(brief.at("nodes").at(0).at("history").at("buckets").as_array().empty());
}

TEST_F(network_views, nodes_that_do_not_fit_are_those_that_matter_least) {
    std::vector<node::NodeSight> sights(4);
    for (uint8_t i = 0; i < sights.size(); ++i) {
        sights[i].node_id = {i};
        sights[i].answered_at = 10 - i;
    }
    sights[3].is_linked = true;
    const auto all = nodes_that_fit(sights, 1 << 20);
    ASSERT_EQ(all.size(), 4u);
    const size_t bytes = boost::json::serialize(all).size();
    const auto some = nodes_that_fit(sights, bytes * 5 / 8);
    ASSERT_EQ(some.size(), 2u);
    EXPECT_EQ(some[0], all[0]);
    EXPECT_EQ(some[1], all[3]);
    EXPECT_EQ(json("/v1/network").at("nodes_left_out").to_number<int>(), 0);
}

TEST_F(network_views, what_everybody_asks_for_is_there_once) {
    for (const char* path : {"/v1/network", "/v1/network?history=none", "/v1/pools",
                             "/v1/collateral", "/v1/policy", "/v1/manifest", "/openapi.json"}) {
        const auto first = get(path);
        ASSERT_NE(first.shared_body, nullptr) << path;
        EXPECT_EQ(get(path).shared_body, first.shared_body) << path;
    }
    EXPECT_NE(get("/v1/network").shared_body, get("/v1/network?history=none").shared_body);
}

TEST_F(network_views, without_a_chain_and_collateral_the_lists_are_empty) {
    EXPECT_TRUE(json("/v1/pools").at("data").as_array().empty());
    const auto collateral = json("/v1/collateral");
    EXPECT_TRUE(collateral.at("data").as_array().empty());
    EXPECT_EQ(collateral.at("left_out").as_array().size(), 1u);
}

TEST_F(network_views, the_page_and_the_api_share_their_paths) {
    const auto view = as_bytes("<p>");
    const PageFiles page =
        PageFiles::build({{"index.html", Bytes(view.begin(), view.end())}}).value();
    EXPECT_EQ(get("/").status, 404);
    routes.emplace(Routes::World{.node = *node, .clock = clock, .rng = rng, .page = &page});
    EXPECT_EQ(get("/").content(), "<p>");
    EXPECT_EQ(get("/chat").headers.at("cache-control"), "no-cache");
    EXPECT_TRUE(get("/chat").headers.contains("x-request-id"));
    // A path of both is a browser's page and a program's list.
    EXPECT_EQ(get("/models", {{"accept", "*/*"}}).content_type, "application/json");
    EXPECT_EQ(get("/models", {{"accept", "text/html,*/*;q=0.8"}}).content(), "<p>");
    const auto unknown = get("/v1/none", {{"accept", "text/html"}});
    EXPECT_EQ(unknown.status, 404);
    EXPECT_NE(unknown.content().find("route_unknown"), std::string::npos);
    EXPECT_NE(get("/health", {{"accept", "text/html"}}).content().find("\"status\""),
              std::string::npos);
}

TEST_F(network_views, a_page_that_only_some_origins_may_read_varies_by_both) {
    const auto view = as_bytes("<p>");
    const PageFiles page =
        PageFiles::build({{"index.html", Bytes(view.begin(), view.end())}}).value();
    routes.emplace(Routes::World{.node = *node,
                                 .clock = clock,
                                 .rng = rng,
                                 .cors_origins = {"https://a.example"},
                                 .page = &page});
    EXPECT_EQ(get("/", {{"origin", "https://a.example"}}).headers.at("vary"),
              "Accept, Accept-Encoding, Origin");
}

}  // namespace
}  // namespace teetee::api
