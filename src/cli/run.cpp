// SPDX-License-Identifier: Apache-2.0
#include <boost/json/array.hpp>

#include "api/stop_matcher.hpp"
#include "cli/model_file.hpp"
#include "cli/sampling_flags.hpp"
#include "cli/terminal.hpp"
#include "model/stream_decoder.hpp"
#include "node/sequence_sampler.hpp"

namespace teetee::cli {
namespace {

struct RunOptions : ComputeOptions {
    std::string prompt;
    Position tokens_max = 128;
    SamplingFlags sampling;
    std::vector<std::string> stops;
    bool echo = false;
};

boost::json::object logprobs_json(const TokenLogprobs& logprobs) {
    boost::json::array top;
    for (const TokenLogprob& other : logprobs.top)
        top.push_back({{"token", other.token}, {"logprob", other.logprob}});
    return {{"logprob", logprobs.chosen}, {"top", top}};
}

/// The text as it is made: decoded, cut at a stop string, printed at once unless for --json.
class Answer {
  public:
    Answer(const model::Tokenizer& tokenizer, const RunOptions& options, bool is_printed)
        : decoder_(tokenizer, {.continues_text = true}),
          stops_(options.stops),
          is_printed_(is_printed) {}

    Result<void> add(const pipeline::SampledToken& token) {
        ids_.push_back(token.token);
        if (token.logprobs) logprobs_.push_back(logprobs_json(*token.logprobs));
        TT_TRY(const auto piece, decoder_.feed(token.token));
        deliver(piece);
        return {};
    }
    /// A stop string was found: nothing may follow.
    bool is_stopped() const { return is_stopped_; }
    void finish() {
        if (!is_stopped_) deliver(decoder_.finish());
        if (!is_stopped_) print(stops_.finish());
        printer_.finish();
    }
    boost::json::object json() const {
        boost::json::object out = {
            {"text", text_}, {"tokens", ids_}, {"completion_tokens", ids_.size()}};
        if (!logprobs_.empty()) out["logprobs"] = logprobs_;
        return out;
    }

  private:
    void deliver(std::string_view piece) {
        const auto output = stops_.feed(piece);
        is_stopped_ = output.stopped;
        print(output.text);
    }
    void print(const std::string& text) {
        text_ += text;
        if (is_printed_) printer_.print(text);
    }

    model::StreamDecoder decoder_;
    api::StopMatcher stops_;
    AnswerPrinter printer_;
    bool is_printed_;
    bool is_stopped_ = false;
    std::string text_;
    boost::json::array ids_, logprobs_;
};

/// Follows the tokens of the one sequence and picks the next.
class Picker {
  public:
    static Result<Picker> begin(const SamplingOptions& options, Position prompt_positions,
                                const model::Tokenizer& tokenizer) {
        std::shared_ptr<const model::ConstraintVocabulary> vocabulary;
        if (options.constraint.kind != ConstraintKind::none) {
            std::vector<TokenId> ends;
            for (TokenId id = 0; id < tokenizer.vocabulary().tokens.size(); ++id) {
                if (tokenizer.is_end_of_generation(id)) ends.push_back(id);
            }
            vocabulary = model::ConstraintVocabulary::build(tokenizer, std::move(ends));
        }
        TT_TRY(auto sequence,
               node::SequenceSampler::open({options, prompt_positions}, std::move(vocabulary)));
        return Picker(std::move(sequence));
    }

    Result<void> push(TokenId token) {
        row_.position = next_position_++;
        row_.token = token;
        return sequence_.push(row_);
    }
    Result<pipeline::SampledToken> pick(std::span<const float> logits) {
        grammar::MaskBudget masks(1);
        return sequence_.sample(logits, row_, sampler_, masks);
    }

  private:
    explicit Picker(node::SequenceSampler sequence) : sequence_(std::move(sequence)) {}

    node::SequenceSampler sequence_;
    model::Sampler sampler_;
    pipeline::EngineRow row_;
    Position next_position_ = 0;
};

Result<std::vector<float>> feed_prompt(LocalRoute& route, std::span<const TokenId> prompt) {
    constexpr size_t chunk_tokens = 256;
    std::vector<float> logits;
    for (size_t begin = 0; begin < prompt.size(); begin += chunk_tokens) {
        const auto chunk = prompt.subspan(begin, std::min(chunk_tokens, prompt.size() - begin));
        TT_TRY(logits, route.feed(chunk, LocalRoute::Wanted::last_position));
    }
    return logits;
}

Result<void> run(const RunOptions& options, Session& session) {
    TT_TRY(const auto sampling, options.sampling.resolve());
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
    TT_TRY(auto picker, Picker::begin(sampling, static_cast<Position>(prompt.size()), tokenizer));
    for (const TokenId token : prompt) TT_CHECK(picker.push(token));
    TT_TRY(auto route, LocalRoute::load(file, options, 1, positions));
    TT_CHECK(route.begin(positions));
    TT_TRY(auto logits, feed_prompt(route, prompt));

    if (!session.json && options.echo) print_text(options.prompt);
    Answer answer(tokenizer, options, !session.json);
    std::string_view finish = "length";
    for (Position made = 0; made < options.tokens_max; ++made) {
        TT_TRY(const auto picked, picker.pick(logits));
        if (!tokenizer.is_end_of_generation(picked.token)) TT_CHECK(answer.add(picked));
        if (answer.is_stopped() || tokenizer.is_end_of_generation(picked.token)) {
            finish = "stop";
            break;
        }
        if (route.position() == positions || made + 1 == options.tokens_max) break;
        TT_CHECK(picker.push(picked.token));
        TT_TRY(logits, route.feed({&picked.token, 1}, LocalRoute::Wanted::last_position));
    }
    answer.finish();
    if (!session.json) {
        print_text("\n");
        return {};
    }
    boost::json::object report = answer.json();
    report["prompt"] = options.prompt;
    report["prompt_tokens"] = prompt.size();
    report["finish_reason"] = finish;
    print_json(report);
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
    options->sampling.add_to(*command);
    command->add_option("--stop", options->stops, "End before this text; may be repeated")
        ->check([](const std::string& stop) {
            return stop.empty() ? std::string("need a text") : std::string();
        });
    command->add_flag("--echo", options->echo, "Print the prompt before the text");
}

}  // namespace teetee::cli
