// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/activations_option.hpp"
#include "cli/model_file.hpp"
#include "crypto/hash.hpp"
#include "model/sampler.hpp"

namespace teetee::cli {
namespace {

struct LogitsOptions : ComputeOptions {
    std::vector<TokenId> tokens;
    size_t shards = 1;
    ActivationsOption activations;
    size_t chunk = 512;
    size_t greedy = 0;
    size_t top = 10;
    size_t residuals = 0;
};

/// JSON has no NaN and no infinity.
boost::json::value number_or_null(double value) {
    return std::isfinite(value) ? boost::json::value(value) : boost::json::value(nullptr);
}
double number_or_nan(const boost::json::value& value) {
    return value.is_null() ? std::nan("") : value.to_number<double>();
}

/// Adds log-sum-exp and the `top_count` largest logits to the row of a position.
void describe(std::span<const float> logits, size_t top_count, boost::json::object& row) {
    std::vector<TokenId> order(logits.size());
    std::iota(order.begin(), order.end(), 0u);
    const size_t kept = std::min(top_count, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(kept), order.end(),
                      [&](TokenId a, TokenId b) {
                          const auto value = [&](TokenId id) {
                              return std::isnan(logits[id]) ? -INFINITY : logits[id];
                          };
                          return value(a) > value(b) || (value(a) == value(b) && a < b);
                      });
    boost::json::array top;
    for (size_t i = 0; i < kept; ++i)
        top.push_back(boost::json::array{order[i], number_or_null(logits[order[i]])});
    row["logsumexp"] = number_or_null(model::log_sum_exp(logits));
    row["top"] = std::move(top);
}

/// The residual of every position at the shard boundaries, so that two engines can be compared
/// layer by layer.
class ResidualLog {
  public:
    ResidualLog(size_t width, size_t value_count)
        : width_(width), value_count_(std::min(value_count, width)) {}

    void add(uint32_t layer, size_t first_position, std::span<const float> hidden) {
        for (size_t begin = 0; begin < hidden.size(); begin += width_) {
            const auto row = hidden.subspan(begin, width_);
            double squares = 0;
            for (const float x : row) squares += double{x} * double{x};
            boost::json::array values;
            for (const float x : row.first(value_count_)) values.push_back(number_or_null(x));
            rows_.push_back(boost::json::object{
                {"layer", layer},
                {"pos", first_position + begin / width_},
                {"rms", number_or_null(std::sqrt(squares / static_cast<double>(width_)))},
                {"first", std::move(values)}});
        }
    }

    const boost::json::array& rows() const { return rows_; }

  private:
    size_t width_;
    size_t value_count_;
    boost::json::array rows_;
};

void print_table(const boost::json::array& positions, std::string_view sha256) {
    for (const auto& value : positions) {
        const auto& row = value.as_object();
        std::string line = fmt::format(
            "{:>5}  token {:>6}  logsumexp {:>10.5f}  top", row.at("pos").to_number<uint64_t>(),
            row.at("token").to_number<uint64_t>(), number_or_nan(row.at("logsumexp")));
        for (const auto& entry : row.at("top").as_array()) {
            const auto& pair = entry.as_array();
            line +=
                fmt::format(" {}:{:.4f}", pair[0].to_number<uint64_t>(), number_or_nan(pair[1]));
        }
        print_text(line + "\n");
    }
    print_text(fmt::format("sha256 {}\n", sha256));
}

struct Answer {
    boost::json::array positions;
    boost::json::array greedy;
    boost::json::array residuals;
    std::string sha256;
};

Result<Answer> compute(const LogitsOptions& options, LocalRoute& route) {
    const size_t vocabulary = route.vocabulary_size();
    Answer answer;
    ResidualLog residuals(route.hyperparameters().embedding_length, options.residuals);
    size_t begin = 0;
    if (options.residuals > 0) {
        route.observe([&](uint32_t layer, std::span<const float> hidden) {
            residuals.add(layer, begin, hidden);
        });
    }
    crypto::Sha256 hash;
    std::vector<float> last;
    for (; begin < options.tokens.size(); begin += options.chunk) {
        const auto chunk =
            std::span(options.tokens)
                .subspan(begin, std::min(options.chunk, options.tokens.size() - begin));
        TT_TRY(const auto values, route.feed(chunk, LocalRoute::Wanted::every_position));
        hash.update(
            {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)});
        for (size_t i = 0; i < chunk.size(); ++i) {
            boost::json::object row = {{"pos", begin + i}, {"token", chunk[i]}};
            describe(std::span(values).subspan(i * vocabulary, vocabulary), options.top, row);
            answer.positions.push_back(std::move(row));
        }
        last.assign(values.end() - static_cast<ptrdiff_t>(vocabulary), values.end());
    }
    route.observe({});
    answer.residuals = residuals.rows();
    answer.sha256 = to_hex(hash.finish());
    for (size_t i = 0; i < options.greedy; ++i) {
        const TokenId token = model::argmax(last);
        answer.greedy.push_back(token);
        if (i + 1 == options.greedy) break;
        TT_TRY(last, route.feed({&token, 1}, LocalRoute::Wanted::last_position));
    }
    return answer;
}

Result<void> logits(const LogitsOptions& options, Session& session) {
    TT_TRY(const auto file, ModelFile::open(options.model));
    const auto positions_max = static_cast<Position>(options.tokens.size() + options.greedy);
    TT_TRY(const auto format, options.activations.format());
    TT_TRY(auto route, LocalRoute::load(file, options, options.shards, positions_max));
    route.set_format(format);
    TT_CHECK(route.begin(positions_max));
    TT_TRY(const Answer answer, compute(options, route));
    if (!session.json) {
        print_table(answer.positions, answer.sha256);
        return {};
    }
    boost::json::object out = {{"model", options.model},
                               {"shards", options.shards},
                               {"positions", answer.positions},
                               {"sha256", answer.sha256}};
    if (options.greedy > 0) out["greedy"] = answer.greedy;
    if (options.residuals > 0) out["residuals"] = answer.residuals;
    print_json(out);
    return {};
}

}  // namespace

void add_logits(CLI::App& app, Session& session) {
    auto options = std::make_shared<LogitsOptions>();
    CLI::App* command =
        add_command(app, session, "logits",
                    "Logits of every position of a token sequence, and the SHA-256 of their bits",
                    options, logits);
    options->add_to(*command);
    command->add_option("--tokens", options->tokens, "Token ids, separated by commas")
        ->required()
        ->delimiter(',');
    command->add_option("--shards", options->shards, "Run the model cut into this many shards")
        ->capture_default_str()
        ->check(CLI::Range(1, 512));
    options->activations.add_to(*command);
    command->add_option("--chunk", options->chunk, "Tokens fed at a time")
        ->capture_default_str()
        ->check(CLI::Range(1, 65536));
    command->add_option("--greedy", options->greedy, "Continue with this many greedy tokens")
        ->check(CLI::Range(0, 1 << 20))
        ->capture_default_str();
    command->add_option("--top", options->top, "How many of a position's largest logits")
        ->check(CLI::Range(1, 1 << 24))
        ->capture_default_str();
    command
        ->add_option("--residuals", options->residuals,
                     "With --json: RMS and first values, this many, of every position's hidden "
                     "state before the first shard and after each")
        ->check(CLI::Range(0, 1 << 17))
        ->capture_default_str();
}

}  // namespace teetee::cli
