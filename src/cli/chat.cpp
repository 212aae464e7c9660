// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/chat_answer.hpp"
#include "cli/chat_console.hpp"
#include "cli/command.hpp"
#include "cli/conversation.hpp"
#include "cli/terminal.hpp"

namespace teetee::cli {
namespace {

boost::json::array parts_json(const std::vector<client::AnswerPart>& parts) {
    boost::json::array out;
    for (const client::AnswerPart& part : parts) {
        out.push_back({{"entry", part.entry_url},
                       {"tokens", part.token_count},
                       {"receipt", part.receipt_path}});
    }
    return out;
}

boost::json::object standing_json(const billing::Standing& standing) {
    return {{"charged", std::to_string(standing.charged)},
            {"held", std::to_string(standing.held)},
            {"signed", std::to_string(standing.signed_amount)},
            {"claimable", std::to_string(standing.claimable)}};
}

boost::json::object answer_json(const std::string& prompt, const ChatAnswer& answer) {
    boost::json::object out = {{"prompt", prompt},
                               {"text", answer.text},
                               {"receipt", answer.parts.back().receipt_path},
                               {"parts", parts_json(answer.parts)}};
    if (answer.standing) out["payment"] = standing_json(*answer.standing);
    if (answer.parts.back().ended_by_payment) out["ended_by"] = "payment";
    return out;
}

/// One prompt of a script.
Result<void> ask_once(client::Client& client, const ChatOptions& options, const Payment& payment,
                      const std::string& prompt, Conversation& talk, Session& session) {
    if (!is_utf8(prompt)) return fail(ErrorCode::invalid_utf8, "the prompt is not UTF-8");
    AnswerPrinter printer;
    TT_TRY(const auto answer,
           ask_network(client, options, payment,
                       {.messages = talk.messages(prompt, options.context == ChatContext::on),
                        .settings = settings_of(options),
                        .on_text = [&](std::string_view text) {
                            if (!session.json) printer.print(text);
                        }}));
    printer.finish();
    talk.add_exchange(prompt, answer.text);
    if (session.json) {
        print_json(answer_json(prompt, answer));
    } else {
        print_text("\n");
    }
    show_payment(payment, answer);
    return options.receipt.empty() ? Result<void>() : keep_receipts(client, answer.parts, options);
}

Result<void> chat(const ChatOptions& options, Session& session) {
    TT_TRY(const auto setting, ClientSetting::open(options));
    TT_TRY(auto client, client::Client::connect(setting.options));
    show_route(client.route());
    Conversation talk;
    talk.set_system(options.system);
    if (!options.prompt.empty())
        return ask_once(client, options, setting.payment, options.prompt, talk, session);
    if (has_terminal() && !session.json) return converse(options, setting, client);
    const bool is_typed = ::isatty(STDIN_FILENO) != 0;
    std::string line;
    while (std::getline(std::cin, line)) {
        if (line.empty()) continue;
        auto answered = ask_once(client, options, setting.payment, line, talk, session);
        if (!answered && !is_typed) return answered;
        if (!answered) std::cerr << "\n" << answered.error().message() << "\n";
    }
    return {};
}

void add_sampling_to(CLI::App& command, ChatOptions& options) {
    command.add_option("-n,--tokens-max", options.tokens_max, "Tokens of an answer at most");
    command.add_option("--temperature", options.temperature, "0 is greedy")->capture_default_str();
    command
        .add_option("--presence-penalty", options.presence_penalty,
                    "On tokens of the answer; 0 is off")
        ->capture_default_str();
    command
        .add_option("--repetition-penalty", options.repetition_penalty,
                    "On tokens of prompt and answer; 1 is off")
        ->capture_default_str();
    command.add_option("--seed", options.seed, "Same seed, same answer");
}

}  // namespace

void add_chat(CLI::App& app, Session& session) {
    auto options = std::make_shared<ChatOptions>();
    CLI::App* command =
        add_command(app, session, "chat",
                    "Talk to an entry; every node of its route is verified first", options, chat);
    options->add_to(*command);
    command->add_option("--prompt,-p", options->prompt, "Ask this and end");
    command->add_option("--system", options->system, "How the model is to behave");
    const std::map<std::string, ChatContext> contexts = {
        {"auto", ChatContext::automatic}, {"on", ChatContext::on}, {"off", ChatContext::off}};
    command
        ->add_option("--context", options->context,
                     "Whether a prompt is sent with what was said before: auto is on for "
                     "conversations on a terminal, where the model has a chat template")
        ->transform(CLI::CheckedTransformer(contexts))
        ->type_name("auto|on|off");
    command->add_option("--history", options->history,
                        "Keep what is typed in this file, for you alone, and know it again; "
                        "without it nothing is kept");
    add_sampling_to(*command, *options);
    CLI::Option* receipt = command->add_option(
        "--receipt", options->receipt, "Write the receipt of the (last) answer to this file");
    command
        ->add_flag("--fresh-quotes", options->fresh_quotes,
                   "Have every node make a quote for the receipt, which takes its TEE a moment")
        ->needs(receipt);
    command
        ->add_option("--rpc", options->rpc_urls,
                     "URL of a chain's JSON-RPC endpoint, for /proof to ask the contract; may be "
                     "repeated. Default: that of 'teetee up'")
        ->delimiter(',')
        ->envname("TEETEE_RPC");
}

}  // namespace teetee::cli
