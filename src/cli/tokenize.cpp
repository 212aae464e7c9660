// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <optional>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "cli/checkpoint_files.hpp"
#include "cli/command.hpp"
#include "model/tokenizer_limits.hpp"

namespace teetee::cli {
namespace {

struct TokenizeOptions {
    std::string model;
    bool special = false;
};

Result<boost::json::value> parse_line(const std::string& line, size_t number) {
    boost::system::error_code failed;
    boost::json::value value = boost::json::parse(line, failed);
    if (failed)
        return fail(ErrorCode::invalid_json, "line " + std::to_string(number) + " is not JSON");
    return value;
}

/// One line of stdin without its end; nullopt after the last. Error: limit_exceeded.
Result<std::optional<std::string>> read_line() {
    // A JSON string of the longest text that is tokenised, each byte written as an escape.
    constexpr size_t line_bytes_max = 6 * model::encode_text_bytes_max + 2;
    std::string line;
    int c = std::getc(stdin);
    if (c == EOF) return std::optional<std::string>();
    for (; c != EOF && c != '\n'; c = std::getc(stdin)) {
        if (line.size() == line_bytes_max)
            return fail(ErrorCode::limit_exceeded, "the line is too long");
        line.push_back(static_cast<char>(c));
    }
    return std::optional<std::string>(std::move(line));
}

/// Calls convert for each line of stdin and prints what it gives; stops at the first bad line.
template <class Convert>
Result<void> convert_lines(Convert convert) {
    for (size_t number = 1;; ++number) {
        TT_TRY(const auto line, read_line());
        if (!line) return {};
        if (line->empty()) continue;
        TT_TRY(const auto value, parse_line(*line, number));
        auto converted = convert(value);
        if (!converted)
            return in_context("line " + std::to_string(number), std::move(converted).error());
        print_text(boost::json::serialize(converted.value()) + "\n");
    }
}

Result<void> tokenize(const TokenizeOptions& options, Session&) {
    TT_TRY(const auto tokenizer, open_tokenizer(options.model));
    return convert_lines([&](const boost::json::value& value) -> Result<boost::json::value> {
        const auto* text = value.if_string();
        if (text == nullptr) return fail(ErrorCode::invalid_json, "need a JSON string");
        TT_TRY(const auto ids,
               tokenizer.encode({text->data(), text->size()}, {.add_special = options.special,
                                                               .parse_special = options.special}));
        boost::json::array out;
        for (const TokenId id : ids) out.push_back(id);
        return boost::json::value(std::move(out));
    });
}

Result<void> detokenize(const TokenizeOptions& options, Session&) {
    TT_TRY(const auto tokenizer, open_tokenizer(options.model));
    return convert_lines([&](const boost::json::value& value) -> Result<boost::json::value> {
        const auto* list = value.if_array();
        if (list == nullptr) return fail(ErrorCode::invalid_json, "need a JSON array of token ids");
        std::vector<TokenId> ids;
        for (const auto& id : *list) {
            const auto* number = id.if_int64();
            if (number == nullptr || *number < 0 || *number > 0xffffffffll) {
                return fail(ErrorCode::token_out_of_range, "a token id is a number from 0");
            }
            ids.push_back(static_cast<TokenId>(*number));
        }
        TT_TRY(const auto text, tokenizer.decode(ids, {.render_special = options.special}));
        return boost::json::value(boost::json::string(text));
    });
}

}  // namespace

void add_tokenize(CLI::App& app, Session& session) {
    auto options = std::make_shared<TokenizeOptions>();
    for (const bool forwards : {true, false}) {
        CLI::App* command =
            add_command(app, session, forwards ? "tokenize" : "detokenize",
                        forwards ? "A JSON string a line on stdin to a JSON array of ids a line"
                                 : "A JSON array of ids a line on stdin to a JSON string a line",
                        options, forwards ? tokenize : detokenize);
        command
            ->add_option("--model", options->model,
                         "GGUF file, tokenizer.json, tokenizer.model, or a folder with one")
            ->required()
            ->envname("TEETEE_MODEL");
        command->add_flag(
            "--special", options->special,
            "Add BOS and EOS as the vocabulary asks, and read or print special tokens");
    }
}

}  // namespace teetee::cli
