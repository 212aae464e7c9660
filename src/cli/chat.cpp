// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "attest/limits.hpp"
#include "attest/receipt_json.hpp"
#include "cli/command.hpp"
#include "cli/verified_entry.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

struct ChatOptions : NetworkFiles {
    std::string entry;
    std::string prompt;
    std::string receipt;
    uint32_t tokens_max = 0;
    double temperature = 0.6;
    std::optional<int64_t> seed;
    bool sealed = false;
    bool fresh_quotes = false;
};

/// Splits a server-sent event stream into text, until [DONE] or an error event.
class EventReader {
  public:
    explicit EventReader(const std::function<void(std::string_view)>& on_text)
        : on_text_(on_text) {}

    bool feed(std::string_view chunk) {
        constexpr size_t line_bytes_max = 1 << 20;
        buffer_ += chunk;
        for (size_t end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n')) {
            const std::string line = buffer_.substr(0, end);
            buffer_.erase(0, end + 1);
            if (line.starts_with("data: ")) on_data(std::string_view(line).substr(6));
        }
        if (buffer_.size() > line_bytes_max)
            error_ = fail(ErrorCode::limit_exceeded, "the entry sent an endless line");
        return !done_ && !error_;
    }

    const std::optional<Error>& error_event() const { return error_; }
    const std::string& receipt_path() const { return receipt_path_; }

    Result<void> outcome() const {
        if (error_) return *error_;
        if (!done_)
            return fail(ErrorCode::connection_closed, "the answer ended before it was complete");
        return {};
    }

  private:
    void on_data(std::string_view data) {
        if (data == "[DONE]") {
            done_ = true;
            return;
        }
        boost::system::error_code failed;
        const auto value = boost::json::parse(data, failed);
        if (failed || !value.is_object()) return;
        if (const auto* error = value.as_object().if_contains("error")) {
            error_ = fail(ErrorCode::stage_failed, boost::json::serialize(*error));
            return;
        }
        if (const auto* path = value.as_object().if_contains("receipt");
            path != nullptr && path->is_string()) {
            receipt_path_ = path->get_string();
        }
        boost::system::error_code absent;
        if (const auto* text = value.find_pointer("/choices/0/delta/content", absent);
            text != nullptr && text->is_string()) {
            on_text_(text->get_string());
        }
    }

    const std::function<void(std::string_view)>& on_text_;
    std::string buffer_;
    bool done_ = false;
    std::string receipt_path_;
    std::optional<Error> error_;
};

/// Streams an answer; on_text is called with each piece. Where its receipt is.
Result<std::string> ask(const VerifiedEntry& entry, const boost::json::object& body,
                        const std::function<void(std::string_view)>& on_text) {
    EventReader reader(on_text);
    const auto answer =
        entry.post("/v1/chat/completions", boost::json::serialize(body),
                   [&reader](std::string_view chunk) { return reader.feed(chunk); });
    if (answer && answer->status != 200) return fail(ErrorCode::stage_failed, answer->beginning);
    // What the entry says of a failure tells more than how the connection ended after it.
    if (reader.error_event()) return *reader.error_event();
    if (!answer) return answer.error();
    TT_CHECK(reader.outcome());
    return reader.receipt_path();
}

Result<std::string> fetch_receipt(const VerifiedEntry& entry, const std::string& path) {
    if (!path.starts_with("/v1/receipts/"))
        return fail(ErrorCode::receipt_unknown, "the entry named no receipt");
    std::string receipt;
    TT_TRY(const auto answer, entry.get(path, [&receipt](std::string_view chunk) {
        receipt += chunk;
        return receipt.size() <= attest::receipt_bytes_max;
    }));
    if (answer.status != 200)
        return fail(ErrorCode::receipt_unknown, quote_foreign(answer.beginning));
    TT_CHECK(attest::parse_receipt(receipt));
    return receipt;
}

Result<void> ask_once(const VerifiedEntry& entry, const ChatOptions& options,
                      const std::string& prompt, Session& session) {
    if (!is_utf8(prompt)) return fail(ErrorCode::invalid_utf8, "the prompt is not UTF-8");
    boost::json::object body = {{"messages", boost::json::array{boost::json::object{
                                                 {"role", "user"}, {"content", prompt}}}},
                                {"stream", true},
                                {"temperature", options.temperature}};
    if (options.tokens_max > 0) body["max_tokens"] = options.tokens_max;
    if (options.seed) body["seed"] = *options.seed;
    if (options.fresh_quotes) body["attest"] = "quote";
    std::string answer;
    TT_TRY(const auto receipt_path, ask(entry, body, [&](std::string_view text) {
               answer += text;
               if (!session.json) print_text(text);
           }));
    if (session.json)
        print_json({{"prompt", prompt}, {"text", answer}, {"receipt", receipt_path}});
    else
        print_text("\n");
    if (options.receipt.empty()) return {};
    TT_TRY(const auto receipt, fetch_receipt(entry, receipt_path));
    TT_CHECK(net::write_file_atomic(options.receipt, as_bytes(receipt), {.mode = 0600}));
    std::cerr << "receipt: " << options.receipt << "; teetee verify " << options.receipt
              << (options.fresh_quotes ? " --require-fresh-quotes" : "") << " checks it\n";
    return {};
}

EntryOptions entry_options(const ChatOptions& options) {
    EntryOptions out{
        .url = options.entry,
        .files = options,
        .privacy = options.sealed ? Privacy::sealed : Privacy::attested_tls,
    };
    if (out.url.empty()) {
        out.url = options.sealed ? fmt::format("http://127.0.0.1:{}", options.port)
                                 : fmt::format("https://127.0.0.1:{}", options.port + 1);
    }
    return out;
}

Result<void> chat(const ChatOptions& options, Session& session) {
    TT_TRY(auto entry, VerifiedEntry::open(entry_options(options)));
    TT_TRY(const auto route, entry.verify_route());
    std::cerr << fmt::format(
        "verified: {} node{}, every layer covered, code and weights as the policy asks\n",
        route.node_count, route.node_count == 1 ? "" : "s");
    if (route.simulated) {
        std::cerr << "SIMULATED: these TEEs are made for development and protect nothing; do not "
                     "enter secrets\n";
    }
    if (!options.prompt.empty()) return ask_once(entry, options, options.prompt, session);
    const bool interactive = isatty(STDIN_FILENO) != 0;
    std::string line;
    while (true) {
        if (interactive) std::cerr << "> " << std::flush;
        if (!std::getline(std::cin, line)) break;
        if (line.empty()) continue;
        auto answered = ask_once(entry, options, line, session);
        if (!answered && !interactive) return answered;
        if (!answered) std::cerr << "\n" << answered.error().message() << "\n";
    }
    return {};
}

}  // namespace

void add_chat(CLI::App& app, Session& session) {
    auto options = std::make_shared<ChatOptions>();
    CLI::App* command =
        add_command(app, session, "chat",
                    "Talk to an entry; every node of its route is verified first", options, chat);
    options->add_to(*command);
    options->collateral.add_services_to(*command);
    command
        ->add_option("--entry", options->entry,
                     "URL of the entry's attested API, https://HOST:PORT; with --sealed of any of "
                     "its APIs")
        ->envname("TEETEE_ENTRY");
    command->add_flag("--sealed", options->sealed,
                      "Seal requests to the key in the entry's evidence, instead of attested TLS");
    command->add_option("--prompt,-p", options->prompt, "Ask this and end");
    command->add_option("-n,--tokens-max", options->tokens_max, "Tokens of an answer at most");
    command->add_option("--temperature", options->temperature, "0 is greedy")
        ->capture_default_str();
    CLI::Option* receipt = command->add_option(
        "--receipt", options->receipt, "Write the receipt of the (last) answer to this file");
    command
        ->add_flag("--fresh-quotes", options->fresh_quotes,
                   "Have every node make a quote for the receipt, which takes its TEE a moment")
        ->needs(receipt);
    command->add_option("--seed", options->seed, "Same seed, same answer");
}

}  // namespace teetee::cli
