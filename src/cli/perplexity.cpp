// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <fmt/format.h>

#include "cli/activations_option.hpp"
#include "cli/model_file.hpp"
#include "cli/progress.hpp"
#include "model/sampler.hpp"

namespace teetee::cli {
namespace {

struct PerplexityOptions : ComputeOptions {
    std::string text;
    Position context = 0;
    size_t tokens_max = 0;
    size_t shards = 1;
    ActivationsOption activations;
};

/// The text's tokens in windows of one context, each opened by BOS where the vocabulary asks for
/// it; every token but a window's first is predicted from those before it in its window.
Result<void> perplexity(const PerplexityOptions& options, Session& session) {
    constexpr size_t text_bytes_max = 64 << 20;
    TT_TRY(const auto bytes, net::read_file(options.text, text_bytes_max));
    if (!is_utf8(as_text(bytes)))
        return fail(ErrorCode::invalid_utf8, options.text + " is not UTF-8");
    TT_TRY(const auto file, ModelFile::open(options.model));
    TT_TRY(const auto tokenizer, file.tokenizer());
    TT_TRY(auto tokens, tokenizer.encode(as_text(bytes)));
    if (options.tokens_max > 0 && tokens.size() > options.tokens_max)
        tokens.resize(options.tokens_max);
    TT_TRY(const auto hyperparameters, model::hyperparameters_from(file.gguf));
    const Position context = options.context == 0
                                 ? std::min<Position>(hyperparameters.context_length, 2048)
                                 : options.context;
    if (context < 2) return fail(ErrorCode::invalid_argument, "--context must be at least 2");
    TT_CHECK(model::ensure_fits(tokenizer.vocabulary(), hyperparameters));
    TT_TRY(const auto format, options.activations.format());
    TT_TRY(auto route, LocalRoute::load(file, options, options.shards, context));
    route.set_format(format);
    const auto& vocabulary = tokenizer.vocabulary();
    const bool with_bos = vocabulary.add_bos && vocabulary.bos.has_value();
    const size_t vocabulary_size = route.vocabulary_size();
    const auto progress = progress_bar("perplexity");
    double nll = 0;
    size_t counted = 0;
    const size_t taken = context - (with_bos ? 1 : 0);
    for (size_t begin = 0; begin < tokens.size(); begin += taken) {
        std::vector<TokenId> window;
        if (with_bos) window.push_back(*vocabulary.bos);
        const size_t end = std::min(tokens.size(), begin + taken);
        window.insert(window.end(), tokens.begin() + static_cast<ptrdiff_t>(begin),
                      tokens.begin() + static_cast<ptrdiff_t>(end));
        if (window.size() < 2) break;
        TT_CHECK(route.begin(static_cast<Position>(window.size())));
        constexpr size_t chunk_tokens = 64;
        for (size_t at = 0; at + 1 < window.size(); at += chunk_tokens) {
            const auto chunk = std::span<const TokenId>(window).subspan(
                at, std::min(chunk_tokens, window.size() - 1 - at));
            TT_TRY(const auto values, route.feed(chunk, LocalRoute::Wanted::every_position));
            for (size_t i = 0; i < chunk.size(); ++i) {
                const auto logits = std::span(values).subspan(i * vocabulary_size, vocabulary_size);
                nll += model::log_sum_exp(logits) - logits[window[at + i + 1]];
                ++counted;
            }
        }
        if (progress) progress(end, tokens.size());
    }
    if (counted == 0)
        return fail(ErrorCode::invalid_argument, options.text + " has fewer than two tokens");
    const double mean = nll / static_cast<double>(counted);
    if (session.json) {
        print_json({{"model", options.model},
                    {"tokens", counted},
                    {"context", context},
                    {"nll", mean},
                    {"perplexity", std::exp(mean)}});
    } else {
        print_text(fmt::format("tokens {}  nll {:.6f}  perplexity {:.5f}\n", counted, mean,
                               std::exp(mean)));
    }
    return {};
}

}  // namespace

void add_perplexity(CLI::App& app, Session& session) {
    auto options = std::make_shared<PerplexityOptions>();
    CLI::App* command = add_command(app, session, "perplexity",
                                    "Negative log-likelihood a token and perplexity of a text",
                                    options, perplexity);
    options->add_to(*command);
    command->add_option("--file", options->text, "Text file, UTF-8")->required();
    command
        ->add_option("--context", options->context,
                     "Window in tokens; 0 takes the model's, at most 2048")
        ->capture_default_str();
    command->add_option("--shards", options->shards, "Run the model cut into this many shards")
        ->capture_default_str()
        ->check(CLI::Range(1, 512));
    options->activations.add_to(*command);
    command
        ->add_option("--tokens-max", options->tokens_max,
                     "Use only the first tokens of the text; 0 takes all")
        ->capture_default_str();
}

}  // namespace teetee::cli
