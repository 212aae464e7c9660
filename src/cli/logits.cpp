// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/model_file.hpp"
#include "crypto/hash.hpp"
#include "model/sampler.hpp"

namespace teetee::cli {
namespace {

struct LogitsOptions : ComputeOptions {
    std::vector<TokenId> tokens;
    size_t shards = 1;
    size_t chunk = 512;
    size_t greedy = 0;
};

constexpr size_t top_count = 10;

/// JSON has no NaN and no infinity.
boost::json::value number_or_null(double value) {
    return std::isfinite(value) ? boost::json::value(value) : boost::json::value(nullptr);
}

boost::json::object describe(std::span<const float> logits, size_t position, TokenId token) {
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
    return {{"pos", position},
            {"token", token},
            {"logsumexp", number_or_null(model::log_sum_exp(logits))},
            {"top", top}};
}

void print_table(const boost::json::array& positions, std::string_view sha256) {
    for (const auto& value : positions) {
        const auto& row = value.as_object();
        std::string line = fmt::format(
            "{:>5}  token {:>6}  logsumexp {:>10.5f}  top", row.at("pos").to_number<uint64_t>(),
            row.at("token").to_number<uint64_t>(), row.at("logsumexp").as_double());
        for (const auto& entry : row.at("top").as_array()) {
            const auto& pair = entry.as_array();
            line += fmt::format(" {}:{:.4f}", pair[0].to_number<uint64_t>(),
                                pair[1].to_number<double>());
        }
        print_text(line + "\n");
    }
    print_text(fmt::format("sha256 {}\n", sha256));
}

Result<void> logits(const LogitsOptions& options, Session& session) {
    TT_TRY(const auto file, ModelFile::open(options.model));
    const size_t positions_max = options.tokens.size() + options.greedy;
    TT_TRY(auto route,
           LocalRoute::load(file, options, options.shards, static_cast<Position>(positions_max)));
    TT_CHECK(route.begin(static_cast<Position>(positions_max)));
    const size_t vocabulary = route.vocabulary_size();
    crypto::Sha256 hash;
    boost::json::array positions;
    std::vector<float> last;
    for (size_t begin = 0; begin < options.tokens.size(); begin += options.chunk) {
        const auto chunk =
            std::span(options.tokens)
                .subspan(begin, std::min(options.chunk, options.tokens.size() - begin));
        TT_TRY(const auto values, route.feed(chunk, LocalRoute::Wanted::every_position));
        hash.update(
            {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)});
        for (size_t i = 0; i < chunk.size(); ++i) {
            positions.push_back(describe(std::span(values).subspan(i * vocabulary, vocabulary),
                                         begin + i, chunk[i]));
        }
        last.assign(values.end() - static_cast<ptrdiff_t>(vocabulary), values.end());
    }
    boost::json::array greedy;
    for (size_t i = 0; i < options.greedy; ++i) {
        const TokenId token = model::argmax(last);
        greedy.push_back(token);
        if (i + 1 == options.greedy) break;
        TT_TRY(last, route.feed({&token, 1}, LocalRoute::Wanted::last_position));
    }
    const std::string sha256 = to_hex(hash.finish());
    if (!session.json) {
        print_table(positions, sha256);
        return {};
    }
    boost::json::object out = {{"model", options.model},
                               {"shards", options.shards},
                               {"positions", positions},
                               {"sha256", sha256}};
    if (options.greedy > 0) out["greedy"] = greedy;
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
    command->add_option("--chunk", options->chunk, "Tokens fed at a time")
        ->capture_default_str()
        ->check(CLI::Range(1, 65536));
    command->add_option("--greedy", options->greedy, "Continue with this many greedy tokens")
        ->check(CLI::Range(0, 1 << 20))
        ->capture_default_str();
}

}  // namespace teetee::cli
