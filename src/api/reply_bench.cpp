// SPDX-License-Identifier: Apache-2.0
// What the API costs: the same streams from a node itself, and through the API's routes, parsing of
// requests, text, events and receipts included, up to the bytes that a socket would be given. The
// model is models/story, or the GGUF that TEETEE_BENCH_MODEL names.
#include <cstdlib>

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

void count_tokens(benchmark::State& state) {
    state.counters["tokens/s"] =
        benchmark::Counter(static_cast<double>(state.iterations() * state.range(0) * answer_tokens),
                           benchmark::Counter::kIsRate);
}

void streams_of_the_node(benchmark::State& state) {
    World& world = World::get();
    const auto tokens = world.node->tokenizer().encode(prompt, {.add_special = true}).value();
    for (auto _ : state) {
        Countdown countdown{static_cast<size_t>(state.range(0))};
        for (int64_t i = 0; i < state.range(0); ++i) {
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
    count_tokens(state);
}

void streams_of_the_api(benchmark::State& state) {
    World& world = World::get();
    for (auto _ : state) {
        Countdown countdown{static_cast<size_t>(state.range(0))};
        for (int64_t i = 0; i < state.range(0); ++i) {
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
    count_tokens(state);
}

BENCHMARK(streams_of_the_node)->Arg(1)->Arg(16)->Arg(64)->UseRealTime();
BENCHMARK(streams_of_the_api)->Arg(1)->Arg(16)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace teetee::api
