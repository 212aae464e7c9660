// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <sys/resource.h>

#include <fmt/format.h>

#include "base/world.hpp"
#include "cli/host_memory.hpp"
#include "cli/local_batch.hpp"
#include "cli/model_file.hpp"
#include "model/cut_costs.hpp"
#include "model/sampler.hpp"
#include "tensor/read_speed.hpp"

namespace teetee::cli {
namespace {

struct BenchOptions : ComputeOptions {
    Position prompt_tokens = 512;
    Position gen_tokens = 128;
    size_t batch = 1;
    size_t shards = 1;
    size_t repeat = 1;
    bool bandwidth = false;
};

/// Of one repetition.
struct Speed {
    double prefill = 0;  // tokens a second, all streams together; 0 without a prompt
    double decode = 0;
};

double seconds_since(const Clock& clock, Instant start) {
    return std::chrono::duration<double>(clock.now() - start).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

TokenId prompt_token(size_t stream, Position position, size_t vocabulary_size) {
    return static_cast<TokenId>((position * 7919 + stream * 104729 + 3) % vocabulary_size);
}

/// Every stream's prompt, then gen_tokens steps of one greedy token for each.
Result<Speed> run_once(const BenchOptions& options, LocalBatch& batch) {
    const SystemClock clock;
    Speed speed;
    const size_t vocabulary_size = batch.vocabulary_size();
    TT_CHECK(batch.begin(options.batch, options.prompt_tokens + options.gen_tokens));
    std::vector<TokenId> last(options.batch);
    const Instant prefill_start = clock.now();
    for (size_t stream = 0; stream < options.batch; ++stream) {
        std::vector<TokenId> prompt(options.prompt_tokens);
        for (Position p = 0; p < options.prompt_tokens; ++p)
            prompt[p] = prompt_token(stream, p, vocabulary_size);
        last[stream] = prompt_token(stream, options.prompt_tokens, vocabulary_size);
        if (prompt.empty()) continue;
        TT_TRY(const auto logits, batch.feed(stream, prompt));
        last[stream] = model::argmax(logits);
    }
    if (options.prompt_tokens > 0) {
        speed.prefill = static_cast<double>(options.prompt_tokens * options.batch) /
                        seconds_since(clock, prefill_start);
    }
    const Instant decode_start = clock.now();
    for (Position i = 0; i < options.gen_tokens; ++i) {
        TT_TRY(const auto logits, batch.step(last));
        for (size_t stream = 0; stream < options.batch; ++stream)
            last[stream] = model::argmax(logits.subspan(stream * vocabulary_size, vocabulary_size));
    }
    speed.decode = static_cast<double>(options.gen_tokens * options.batch) /
                   seconds_since(clock, decode_start);
    return speed;
}

uint64_t read_bytes_of(const model::ModelCosts& costs) {
    return costs.of({0, costs.layer_count()}).read_bytes;
}

/// Of a prompt; the output head multiplies with its last token alone.
double multiply_adds_of_a_token(const model::ModelCosts& costs, size_t batch) {
    uint64_t multiply_adds = 0;
    for (const model::PartCost& layer : costs.layers) multiply_adds += layer.multiply_adds;
    return static_cast<double>(multiply_adds) / static_cast<double>(batch);
}

void print(const BenchOptions& options, const Session& session, std::string_view kernel,
           const boost::json::object& figures) {
    if (session.json) {
        boost::json::object out = {{"model", options.model},
                                   {"threads", options.threads},
                                   {"kernel", kernel},
                                   {"shards", options.shards},
                                   {"batch", options.batch},
                                   {"repeat", options.repeat},
                                   {"prompt_tokens", options.prompt_tokens},
                                   {"gen_tokens", options.gen_tokens}};
        for (const auto& [key, value] : figures) out[key] = value;
        print_json(out);
        return;
    }
    const auto figure = [&](const char* key) { return figures.at(key).to_number<double>(); };
    print_text(fmt::format(
        "{}: prefill {:.1f} tokens/s  decode {:.1f} tokens/s ({} streams)  "
        "weights {:.2f} GB/s  peak RSS {:.0f} MB\n",
        kernel, figure("prefill_tokens_per_s"), figure("decode_tokens_per_s"), options.batch,
        figure("weight_bytes_per_s") / 1e9, figure("peak_rss_bytes") / (1 << 20)));
    if (options.bandwidth)
        print_text(fmt::format("memory: {:.2f} GB/s\n", figure("read_bytes_per_s") / 1e9));
}

Result<void> bench(const BenchOptions& given, Session& session) {
    BenchOptions options = given;
    options.threads = options.thread_count();
    const uint64_t memory_bytes = available_memory_bytes();
    TT_TRY(const auto file, ModelFile::open(options.model));
    TT_TRY(const auto costs,
           model::model_costs(file.gguf, {.rows = static_cast<uint32_t>(options.batch)}));
    TT_TRY(const auto kernels, tensor::kernels_named(options.kernel));
    TT_TRY(auto batch, LocalBatch::load(file, options, options.shards,
                                        {.streams = options.batch,
                                         .positions = options.prompt_tokens + options.gen_tokens}));
    std::vector<double> prefill;
    std::vector<double> decode;
    for (size_t i = 0; i < options.repeat; ++i) {
        TT_TRY(const Speed speed, run_once(options, batch));
        prefill.push_back(speed.prefill);
        decode.push_back(speed.decode);
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const double steps = median(decode) / static_cast<double>(options.batch);
    boost::json::object figures = {
        {"prefill_tokens_per_s", median(prefill)},
        {"decode_tokens_per_s", median(decode)},
        {"weight_bytes_per_s", steps * static_cast<double>(read_bytes_of(costs))},
        {"multiply_adds_per_s", median(prefill) * multiply_adds_of_a_token(costs, options.batch)},
        {"memory_bytes", memory_bytes},
        {"peak_rss_bytes", usage.ru_maxrss * 1024},
        {"model_bytes", file.mapping->view().size()},
        {"kv_bytes", batch.kv_bytes()}};
    // After the peak memory has been read: this takes a gigabyte of its own.
    if (options.bandwidth) {
        const SystemClock clock;
        figures["read_bytes_per_s"] = tensor::read_speed(options.threads, clock);
    }
    print(options, session, kernels->name, figures);
    return {};
}

}  // namespace

void add_bench(CLI::App& app, Session& session) {
    auto options = std::make_shared<BenchOptions>();
    CLI::App* command =
        add_command(app, session, "bench", "Prefill and decode speed of one model in one process",
                    options, bench);
    options->add_to(*command);
    command
        ->add_option("--prompt-tokens", options->prompt_tokens,
                     "Tokens of prefill for each stream; decode begins after them")
        ->capture_default_str()
        ->check(CLI::Range(0, 1 << 20));
    command->add_option("--gen-tokens", options->gen_tokens, "Tokens of decode for each stream")
        ->capture_default_str()
        ->check(CLI::Range(1, 1 << 20));
    command->add_option("--batch", options->batch, "Streams that decode together")
        ->capture_default_str()
        ->check(CLI::Range(1, 512));
    command->add_option("--shards", options->shards, "Cut into this many shards in the process")
        ->capture_default_str()
        ->check(CLI::Range(1, 512));
    command->add_option("--repeat", options->repeat, "Report the median of this many runs")
        ->capture_default_str()
        ->check(CLI::Range(1, 100));
    command->add_flag("--bandwidth", options->bandwidth,
                      "Also measure how fast the threads read memory: what bounds decode");
}

}  // namespace teetee::cli
