// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/network_files.hpp"
#include "cli/payment_option.hpp"
#include "client/client.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

struct ChatOptions : NetworkFiles {
    PaymentOption payment;
    std::vector<std::string> entries;
    std::string prompt;
    std::string receipt;
    uint32_t tokens_max = 0;
    uint32_t patience_s = 15;
    uint32_t silence_s = 20;
    double temperature = 0.6;
    double presence_penalty = 0;
    double repetition_penalty = 1;
    std::optional<int64_t> seed;
    bool sealed = false;
    bool fresh_quotes = false;
};

boost::json::object request_of(const ChatOptions& options, const std::string& prompt) {
    boost::json::object body = {{"messages", boost::json::array{boost::json::object{
                                                 {"role", "user"}, {"content", prompt}}}},
                                {"temperature", options.temperature}};
    if (options.presence_penalty != 0) body["presence_penalty"] = options.presence_penalty;
    if (options.repetition_penalty != 1) body["repetition_penalty"] = options.repetition_penalty;
    if (options.tokens_max > 0) body["max_tokens"] = options.tokens_max;
    if (options.seed) body["seed"] = *options.seed;
    if (options.fresh_quotes) body["attest"] = "quote";
    return body;
}

Result<void> keep_receipt(client::Client& client, const client::AnswerPart& part,
                          const ChatOptions& options, const std::string& path) {
    TT_TRY(const auto receipt, client.fetch_receipt(part));
    TT_CHECK(net::write_file_atomic(path, as_bytes(receipt), {.mode = 0600}));
    std::cerr << "receipt: " << path << "; teetee verify " << path
              << (options.fresh_quotes ? " --require-fresh-quotes" : "") << " checks it\n";
    return {};
}

/// That of the last part where it was asked for, those of earlier ones beside it, as far as the
/// entries that gave these parts are there.
Result<void> keep_receipts(client::Client& client, const std::vector<client::AnswerPart>& parts,
                           const ChatOptions& options) {
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
        const std::string path = fmt::format("{}.{}", options.receipt, i + 1);
        if (auto kept = keep_receipt(client, parts[i], options, path); !kept) {
            std::cerr << fmt::format("no receipt of the {} tokens from {}: {}\n",
                                     parts[i].token_count, parts[i].entry_url,
                                     kept.error().message());
        }
    }
    return keep_receipt(client, parts.back(), options, options.receipt);
}

boost::json::array parts_json(const std::vector<client::AnswerPart>& parts) {
    boost::json::array out;
    for (const client::AnswerPart& part : parts) {
        out.push_back({{"entry", part.entry_url},
                       {"tokens", part.token_count},
                       {"receipt", part.receipt_path}});
    }
    return out;
}

void show_route(const client::VerifiedEntry::Route& route) {
    std::cerr << fmt::format(
        "verified: {} node{}, every layer covered, code and weights as the policy asks\n",
        route.node_count, route.node_count == 1 ? "" : "s");
    if (route.simulated) {
        std::cerr << "SIMULATED: these TEEs are made for development and protect nothing; do not "
                     "enter secrets\n";
    }
}

/// Once the receipt is made, which is when an answer is charged.
std::optional<billing::Standing> standing_of(const client::Client& client, const Payment& payment) {
    const client::VerifiedEntry* entry = client.entry();
    if (!payment.voucher || entry == nullptr) return std::nullopt;
    const auto standing = payment.voucher->standing(*entry);
    return standing ? std::optional(*standing) : std::nullopt;
}

void show_payment(const Payment& payment, const client::AnswerPart& last,
                  const std::optional<billing::Standing>& standing) {
    if (!payment.voucher) return;
    if (last.ended_by_payment) {
        std::cerr << "the answer ends here because no more of it is paid for: a voucher of a "
                     "higher ceiling (teetee voucher open), or --spend-max, lets it go on\n";
    }
    if (!standing) return;
    const auto used = standing->charged + standing->held;
    std::cerr << fmt::format("voucher: {} credits used with this entry, {} left\n", used,
                             standing->claimable - std::min(standing->claimable, used));
}

boost::json::object standing_json(const billing::Standing& standing) {
    return {{"charged", std::to_string(standing.charged)},
            {"held", std::to_string(standing.held)},
            {"signed", std::to_string(standing.signed_amount)},
            {"claimable", std::to_string(standing.claimable)}};
}

Result<void> ask_once(client::Client& client, const ChatOptions& options, const Payment& payment,
                      const std::string& prompt, Session& session) {
    if (!is_utf8(prompt)) return fail(ErrorCode::invalid_utf8, "the prompt is not UTF-8");
    std::string answer;
    client::Client::Events events;
    events.on_text = [&](std::string_view text) {
        answer += text;
        if (!session.json) print_text(text);
    };
    events.on_opened = [&client](const std::string& url) {
        std::cerr << fmt::format("\n{}, ", url);
        show_route(client.route());
    };
    events.on_moved = [](const std::string& url, size_t token_count, const Error& why) {
        std::cerr << fmt::format("{} goes on behind token {}: {}\n", url, token_count,
                                 why.message());
    };
    TT_TRY(const auto parts, client.ask(request_of(options, prompt), events));
    const auto standing = standing_of(client, payment);
    if (session.json) {
        boost::json::object out = {{"prompt", prompt},
                                   {"text", answer},
                                   {"receipt", parts.back().receipt_path},
                                   {"parts", parts_json(parts)}};
        if (standing) out["payment"] = standing_json(*standing);
        if (parts.back().ended_by_payment) out["ended_by"] = "payment";
        print_json(out);
    } else {
        print_text("\n");
    }
    show_payment(payment, parts.back(), standing);
    return options.receipt.empty() ? Result<void>() : keep_receipts(client, parts, options);
}

Result<client::ClientOptions> client_options(const ChatOptions& options, const Payment& payment) {
    client::ClientOptions out;
    out.urls = options.entries;
    out.privacy = options.sealed ? client::Privacy::sealed : client::Privacy::attested_tls;
    if (out.urls.empty()) {
        out.urls = {options.sealed ? fmt::format("http://127.0.0.1:{}", options.port)
                                   : fmt::format("https://127.0.0.1:{}", options.port + 1)};
    }
    out.patience = std::chrono::seconds(options.patience_s);
    out.silence_max = std::chrono::seconds(options.silence_s);
    out.payer = payment.payer;
    TT_TRY(auto terms, NetworkTerms::load(options));
    payment.complete(terms);
    TT_TRY(auto client_terms, terms.for_client());
    out.terms = std::make_shared<client::Terms>(std::move(client_terms));
    return out;
}

Result<void> chat(const ChatOptions& options, Session& session) {
    TT_TRY(const Payment payment, options.payment.open(options));
    TT_TRY(auto asked, client_options(options, payment));
    TT_TRY(auto client, client::Client::connect(std::move(asked)));
    show_route(client.route());
    if (!options.prompt.empty()) return ask_once(client, options, payment, options.prompt, session);
    const bool interactive = isatty(STDIN_FILENO) != 0;
    std::string line;
    while (true) {
        if (interactive) std::cerr << "> " << std::flush;
        if (!std::getline(std::cin, line)) break;
        if (line.empty()) continue;
        auto answered = ask_once(client, options, payment, line, session);
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
    options->payment.add_to(*command);
    options->collateral.add_services_to(*command);
    command
        ->add_option("--entry", options->entries,
                     "URL of an entry's attested API, https://HOST:PORT; with --sealed of any of "
                     "its APIs. May be repeated: where one does not answer, the next one does; "
                     "others are learned from them")
        ->delimiter(',')
        ->envname("TEETEE_ENTRY");
    command
        ->add_option("--patience-seconds", options->patience_s,
                     "How long an answer may wait for an entry that begins or goes on with it")
        ->capture_default_str()
        ->check(CLI::Range(0, 3600));
    command
        ->add_option("--silence-seconds", options->silence_s,
                     "How long an entry may say nothing until another one is asked; one that is "
                     "busy says so every 8 s")
        ->capture_default_str()
        ->check(CLI::Range(1, 3600));
    command->add_flag("--sealed", options->sealed,
                      "Seal requests to the key in the entry's evidence, instead of attested TLS");
    command->add_option("--prompt,-p", options->prompt, "Ask this and end");
    command->add_option("-n,--tokens-max", options->tokens_max, "Tokens of an answer at most");
    command->add_option("--temperature", options->temperature, "0 is greedy")
        ->capture_default_str();
    command
        ->add_option("--presence-penalty", options->presence_penalty,
                     "On tokens of the answer; 0 is off")
        ->capture_default_str();
    command
        ->add_option("--repetition-penalty", options->repetition_penalty,
                     "On tokens of prompt and answer; 1 is off")
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
