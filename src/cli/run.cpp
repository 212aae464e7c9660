// SPDX-License-Identifier: Apache-2.0
#include <boost/json/array.hpp>

#include "cli/model_file.hpp"
#include "model/sampler.hpp"
#include "model/stream_decoder.hpp"

namespace teetee::cli {
namespace {

struct RunOptions : ComputeOptions {
    std::string prompt;
    Position tokens_max = 128;
    SamplingOptions sampling;
    bool echo = false;
};

Result<void> run(const RunOptions& options, Session& session) {
    TT_CHECK(validate(options.sampling));
    if (!is_utf8(options.prompt)) return fail(ErrorCode::invalid_utf8, "the prompt is not UTF-8");
    TT_TRY(const auto file, ModelFile::open(options.model));
    TT_TRY(const auto tokenizer, file.tokenizer());
    TT_TRY(const auto prompt, tokenizer.encode(options.prompt, {.add_special = true}));
    if (prompt.empty()) return fail(ErrorCode::invalid_argument, "the prompt has no tokens");
    TT_TRY(const auto hyperparameters, model::hyperparameters_from(file.gguf));
    TT_CHECK(model::ensure_fits(tokenizer.vocabulary(), hyperparameters));
    const auto asked = static_cast<uint64_t>(prompt.size()) + options.tokens_max;
    const auto positions =
        static_cast<Position>(std::min<uint64_t>(asked, hyperparameters.context_length));
    if (prompt.size() >= hyperparameters.context_length) {
        return fail(ErrorCode::context_exceeded,
                    "the prompt has " + std::to_string(prompt.size()) +
                        " tokens, the model's context is " +
                        std::to_string(hyperparameters.context_length));
    }
    TT_TRY(auto route, LocalRoute::load(file, options, 1, positions));
    TT_CHECK(route.begin(positions));

    constexpr size_t chunk_tokens = 256;
    std::vector<float> logits;
    for (size_t begin = 0; begin < prompt.size(); begin += chunk_tokens) {
        const auto chunk =
            std::span(prompt).subspan(begin, std::min(chunk_tokens, prompt.size() - begin));
        TT_TRY(logits, route.feed(chunk, LocalRoute::Wanted::last_position));
    }
    if (!session.json && options.echo) print_text(options.prompt);
    model::StreamDecoder decoder(tokenizer, {.continues_text = true});
    std::string text;
    boost::json::array ids;
    std::string_view finish = "length";
    for (Position made = 0; made < options.tokens_max; ++made) {
        const TokenId token = model::sample(logits, options.sampling, route.position() - 1);
        if (tokenizer.is_end_of_generation(token)) {
            finish = "stop";
            break;
        }
        ids.push_back(token);
        TT_TRY(const auto piece, decoder.feed(token));
        text += piece;
        if (!session.json) print_text(piece);
        if (route.position() == positions || made + 1 == options.tokens_max) break;
        TT_TRY(logits, route.feed({&token, 1}, LocalRoute::Wanted::last_position));
    }
    text += decoder.finish();
    if (!session.json) {
        print_text("\n");
        return {};
    }
    print_json({{"prompt", options.prompt},
                {"text", text},
                {"tokens", ids},
                {"prompt_tokens", prompt.size()},
                {"completion_tokens", ids.size()},
                {"finish_reason", finish}});
    return {};
}

}  // namespace

void add_run(CLI::App& app, Session& session) {
    auto options = std::make_shared<RunOptions>();
    CLI::App* command = add_command(app, session, "run",
                                    "Generate text with one model in one process", options, run);
    options->add_to(*command);
    command->add_option("--prompt,-p", options->prompt, "Text to continue")->required();
    command->add_option("-n,--tokens-max", options->tokens_max, "Tokens to generate at most")
        ->check(CLI::Range(1, 1 << 24))
        ->capture_default_str();
    command->add_option("--temperature", options->sampling.temperature, "0 is greedy")
        ->capture_default_str();
    command->add_option("--top-k", options->sampling.top_k, "0 is off")->capture_default_str();
    command->add_option("--top-p", options->sampling.top_p, "1 is off")->capture_default_str();
    command->add_option("--seed", options->sampling.seed, "Same seed, same text")
        ->capture_default_str();
    command->add_flag("--echo", options->echo, "Print the prompt before the text");
}

}  // namespace teetee::cli
