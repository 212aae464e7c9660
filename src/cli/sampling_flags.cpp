// SPDX-License-Identifier: Apache-2.0
#include "cli/sampling_flags.hpp"

#include <algorithm>
#include <charconv>

#include "net/file.hpp"

namespace teetee::cli {
namespace {

Result<LogitBias> parse_bias(const std::string& flag) {
    LogitBias out;
    const char* end = flag.data() + flag.size();
    const auto token = std::from_chars(flag.data(), end, out.token);
    if (token.ec == std::errc() && token.ptr != end && *token.ptr == ':') {
        const auto bias = std::from_chars(token.ptr + 1, end, out.bias);
        if (bias.ec == std::errc() && bias.ptr == end) return out;
    }
    return fail(ErrorCode::invalid_argument,
                "--logit-bias: have " + quote_foreign(flag) + ", need ID:BIAS, such as 42:-100");
}

Result<Constraint> read_constraint(ConstraintKind kind, const std::string& path) {
    TT_TRY(const auto bytes, net::read_file(path, constraint_bytes_max));
    return Constraint{.kind = kind, .source = std::string(as_text(bytes))};
}

}  // namespace

void SamplingFlags::add_to(CLI::App& command) {
    const auto number = [&](const char* flag, auto& value, const char* help) {
        return command.add_option(flag, value, help)->capture_default_str();
    };
    number("--temperature", options.temperature, "0 is greedy");
    number("--top-k", options.top_k, "0 is off");
    number("--top-p", options.top_p, "1 is off");
    number("--min-p", options.min_p, "Least part of the likeliest token's probability; 0 is off");
    number("--typical-p", options.typical_p, "Locally typical sampling; 1 is off");
    number("--repetition-penalty", options.repetition_penalty,
           "On tokens of prompt and answer; 1 is off");
    number("--presence-penalty", options.presence_penalty, "On tokens of the answer; 0 is off");
    number("--frequency-penalty", options.frequency_penalty,
           "For each time a token is in the answer; 0 is off");
    number("--seed", options.seed, "Same seed, same text");
    command.add_option("--logit-bias", biases,
                       "ID:BIAS, added to a token's logit; may be repeated");
    command
        .add_option("--logprobs", logprobs,
                    "With --json: log-probabilities of each token and of the N likeliest")
        ->check(CLI::Range(0u, top_logprobs_max))
        ->type_name("N");
    auto* grammar = command.add_option("--grammar", grammar_path,
                                       "The text must fit the grammar in this file (GBNF)");
    command
        .add_option("--json-schema", schema_path,
                    "The text must be JSON that fits the schema in this file")
        ->excludes(grammar);
}

Result<SamplingOptions> SamplingFlags::resolve() const {
    SamplingOptions out = options;
    for (const std::string& flag : biases) {
        TT_TRY(const auto bias, parse_bias(flag));
        out.logit_bias.push_back(bias);
    }
    std::ranges::sort(out.logit_bias);
    out.logprobs = logprobs.has_value();
    out.top_logprobs = logprobs.value_or(0);
    if (!grammar_path.empty()) {
        TT_TRY(out.constraint, read_constraint(ConstraintKind::gbnf, grammar_path));
    } else if (!schema_path.empty()) {
        TT_TRY(out.constraint, read_constraint(ConstraintKind::json_schema, schema_path));
    }
    TT_CHECK(validate(out));
    return out;
}

}  // namespace teetee::cli
