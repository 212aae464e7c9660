// SPDX-License-Identifier: Apache-2.0
// What the API costs: the same streams from a node itself, and through the API's routes, parsing of
// requests, text, events and receipts included, up to the bytes that a socket would be given. The
// model is models/story, or the GGUF that TEETEE_BENCH_MODEL names.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/json/serialize.hpp>

#include "api/routes.hpp"
#include "node/test_network.hpp"

namespace teetee::api {
namespace {

constexpr uint32_t answer_tokens = 128;
constexpr std::string_view prompt = "Once upon a time";

Bytes model_file() {
    const char* path = std::getenv("TEETEE_BENCH_MODEL");
    if (path == nullptr) return node::test::story_model();
    return net::read_file(path, size_t{1} << 33).value();
}

/// A node and its world, for all benchmarks.
struct World {
    World() {
        node::NodeOptions options = network.options(0);
        options.listen = {"127.0.0.1", 0};
        node = node::Node::start({loop, clock, rng, log, tee}, options).value();
        routes.emplace(Routes::World{*node, clock, rng});
    }
    static World& get() {
        static World world;
        return world;
    }

    node::test::TestNetwork network{1, attest::test::make_policy(), model_file()};
    net::Loop loop;
    SystemClock clock;
    SystemRng rng;
    node::test::RecordingLog log;
    attest::DevTee tee = attest::test::make_tee();
    std::unique_ptr<node::Node> node;
    std::optional<Routes> routes;
};

/// Counts answers that have ended, and ends the loop with the last.
struct Countdown {
    void one() {
        if (--left == 0) World::get().loop.stop();
    }
    size_t left;
};

class CountingExchange final : public net::HttpExchange {
  public:
    explicit CountingExchange(Countdown& countdown) : countdown_(countdown) {}
    void respond(net::HttpResponse) override { std::abort(); }
    void begin_stream(int, std::string_view, const net::HttpHeaders&) override {}
    void write(std::string_view chunk) override {
        benchmark::DoNotOptimize(bytes_ += chunk.size());
    }
    void finish() override { countdown_.one(); }
    void on_disconnect(std::function<void()>) override {}
    size_t pending_bytes() const override { return 0; }

  private:
    Countdown& countdown_;
    size_t bytes_ = 0;
};

void run_on_the_node(int64_t streams) {
    World& world = World::get();
    const auto tokens = world.node->tokenizer().encode(prompt, {.add_special = true}).value();
    Countdown countdown{static_cast<size_t>(streams)};
    for (int64_t i = 0; i < streams; ++i) {
        node::Generation generation;
        generation.prompt = tokens;
        generation.tokens_max = answer_tokens;
        generation.sampling.temperature = 0;
        node::GenerationEvents events;
        events.on_token = [](const pipeline::ClientToken&) {};
        events.on_done = [&](pipeline::FinishReason, pipeline::Usage usage) {
            if (usage.completion_tokens != answer_tokens) std::abort();
            countdown.one();
        };
        events.on_failed = [](const Error&, pipeline::Usage) { std::abort(); };
        events.on_receipt = [](const Result<attest::Receipt>&) {};
        if (!world.node->generate(std::move(generation), std::move(events))) std::abort();
    }
    world.loop.run();
}

void run_on_the_api(int64_t streams) {
    World& world = World::get();
    Countdown countdown{static_cast<size_t>(streams)};
    for (int64_t i = 0; i < streams; ++i) {
        net::HttpRequest request;
        request.method = "POST";
        request.target = request.path = "/v1/completions";
        request.body = boost::json::serialize(boost::json::object{{"prompt", prompt},
                                                                  {"max_tokens", answer_tokens},
                                                                  {"temperature", 0},
                                                                  {"stream", true}});
        world.routes->handle(std::move(request), std::make_shared<CountingExchange>(countdown));
    }
    world.loop.run();
}

double seconds_of(void (&run)(int64_t), int64_t streams) {
    const auto began = std::chrono::steady_clock::now();
    run(streams);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

double quantile(std::vector<double> values, double q) {
    std::ranges::sort(values);
    return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

/// Both ways by turns, each first as often as the other, so that what else the machine does falls
/// on both; the medians of two halves say how far the figure is to be believed.
void api_over_node(benchmark::State& state) {
    const int64_t streams = state.range(0);
    std::vector<double> ratios;
    double node_s = 0;
    double api_s = 0;
    bool node_first = true;
    for (auto _ : state) {
        double node = node_first ? seconds_of(run_on_the_node, streams) : 0;
        const double api = seconds_of(run_on_the_api, streams);
        if (!node_first) node = seconds_of(run_on_the_node, streams);
        node_first = !node_first;
        ratios.push_back(node / api);
        node_s += node;
        api_s += api;
    }
    const double tokens = static_cast<double>(state.iterations() * streams * answer_tokens);
    state.counters["node_tokens/s"] = tokens / node_s;
    state.counters["api_tokens/s"] = tokens / api_s;
    state.counters["ratio_of_sums"] = node_s / api_s;
    state.counters["ratio_median"] = quantile(ratios, 0.5);
    const size_t half = ratios.size() / 2;
    if (half == 0) return;
    state.counters["median_first_half"] = quantile({ratios.begin(), ratios.begin() + half}, 0.5);
    state.counters["median_second_half"] = quantile({ratios.begin() + half, ratios.end()}, 0.5);
}

// Pairs: some ten minutes in all on two cores.
BENCHMARK(api_over_node)->Arg(1)->Iterations(600)->UseRealTime();
BENCHMARK(api_over_node)->Arg(16)->Iterations(200)->UseRealTime();
BENCHMARK(api_over_node)->Arg(64)->Iterations(60)->UseRealTime();

}  // namespace
}  // namespace teetee::api
