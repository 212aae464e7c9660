// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <fmt/format.h>

#include "base/world.hpp"
#include "cli/model_file.hpp"
#include "model/sampler.hpp"

namespace teetee::cli {
namespace {

struct BenchOptions : ComputeOptions {
    Position prompt_tokens = 512;
    Position gen_tokens = 128;
    size_t shards = 1;
};

double seconds_since(const Clock& clock, Instant start) {
    return std::chrono::duration<double>(clock.now() - start).count();
}

Result<void> bench(const BenchOptions& options, Session& session) {
    TT_TRY(const auto file, ModelFile::open(options.model));
    TT_TRY(const auto hyperparameters, model::hyperparameters_from(file.gguf));
    const Position positions = options.prompt_tokens + options.gen_tokens;
    if (positions > hyperparameters.context_length) {
        return fail(ErrorCode::context_exceeded,
                    "the model's context is " + std::to_string(hyperparameters.context_length) +
                        " tokens: lower --prompt-tokens or --gen-tokens");
    }
    TT_TRY(auto route, LocalRoute::load(file, options, options.shards, positions));
    TT_CHECK(route.begin(positions));
    std::vector<TokenId> prompt(options.prompt_tokens);
    for (size_t i = 0; i < prompt.size(); ++i)
        prompt[i] = static_cast<TokenId>((i * 7919 + 3) % route.vocabulary_size());

    const SystemClock clock;
    Instant start = clock.now();
    TT_TRY(auto logits, route.feed(prompt, LocalRoute::Wanted::last_position));
    const double prefill = options.prompt_tokens / seconds_since(clock, start);
    start = clock.now();
    for (Position i = 0; i < options.gen_tokens; ++i) {
        const TokenId token = model::argmax(logits);
        TT_TRY(logits, route.feed({&token, 1}, LocalRoute::Wanted::last_position));
    }
    const double decode = options.gen_tokens / seconds_since(clock, start);
    uint64_t weight_bytes = 0;
    for (const auto& t : file.gguf.tensors()) {
        if (t.name != "token_embd.weight" || file.gguf.find_tensor("output.weight") == nullptr)
            weight_bytes += t.bytes;
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const double read = decode * static_cast<double>(weight_bytes);
    if (session.json) {
        print_json({{"model", options.model},
                    {"threads", options.threads},
                    {"kernel", options.kernel},
                    {"shards", options.shards},
                    {"prompt_tokens", options.prompt_tokens},
                    {"gen_tokens", options.gen_tokens},
                    {"prefill_tokens_per_s", prefill},
                    {"decode_tokens_per_s", decode},
                    {"weight_bytes_per_s", read},
                    {"peak_rss_bytes", usage.ru_maxrss * 1024}});
    } else {
        print_text(
            fmt::format("prefill {:.1f} tokens/s  decode {:.1f} tokens/s  weights {:.2f} GB/s  "
                        "peak RSS {:.0f} MB\n",
                        prefill, decode, read / 1e9, static_cast<double>(usage.ru_maxrss) / 1024));
    }
    return {};
}

}  // namespace

void add_bench(CLI::App& app, Session& session) {
    auto options = std::make_shared<BenchOptions>();
    CLI::App* command =
        add_command(app, session, "bench", "Prefill and decode speed of one model in one process",
                    options, bench);
    options->add_to(*command);
    command->add_option("--prompt-tokens", options->prompt_tokens, "Tokens of prefill")
        ->capture_default_str()
        ->check(CLI::Range(1, 1 << 20));
    command->add_option("--gen-tokens", options->gen_tokens, "Tokens of decode")
        ->capture_default_str()
        ->check(CLI::Range(1, 1 << 20));
    command->add_option("--shards", options->shards, "Cut into this many shards in the process")
        ->capture_default_str()
        ->check(CLI::Range(1, 512));
}

}  // namespace teetee::cli
