// SPDX-License-Identifier: Apache-2.0
#include "cli/chat_console.hpp"

#include <cstdlib>
#include <iostream>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "attest/time_text.hpp"
#include "cli/chat_answer.hpp"
#include "cli/chat_command.hpp"
#include "cli/command.hpp"
#include "cli/conversation.hpp"
#include "cli/interrupt_watch.hpp"
#include "cli/limits.hpp"
#include "cli/line_editor.hpp"
#include "cli/line_history.hpp"
#include "cli/proof.hpp"
#include "cli/terminal.hpp"
#include "client/limits.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

/// Nothing where there are no colours.
struct Palette {
    std::string prompt;
    std::string note;
    std::string bad;
    std::string end;
};

Palette palette() {
    const char* no_color = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    // https://no-color.org
    const bool is_plain = (no_color != nullptr && *no_color != '\0') || terminal == nullptr ||
                          std::string_view(terminal) == "dumb" || ::isatty(STDERR_FILENO) == 0;
    if (is_plain) return {};
    return {"\033[1;32m", "\033[2m", "\033[31m", "\033[0m"};
}

/// Whether an entry says that its model has no chat template (/props); those that say nothing of it
/// leave it open.
bool has_no_template(const client::VerifiedEntry& entry) {
    std::string body;
    const auto answer = entry.get("/props", [&body](std::string_view chunk) {
        body += chunk;
        return body.size() <= props_bytes_max;
    });
    if (!answer || answer->status != 200) return false;
    boost::system::error_code failed;
    const auto value = boost::json::parse(body, failed);
    const auto* object = failed ? nullptr : value.if_object();
    const auto* text = object == nullptr ? nullptr : object->if_contains("chat_template");
    return text != nullptr && text->is_string() && text->get_string().empty();
}

/// What the entry refused with; "" where it was no refusal.
std::string refusal_code(const client::Client& client) {
    if (!client.refusal()) return {};
    const auto said = client::read_entry_error(client.refusal()->body).said;
    const auto* code = said.if_contains("code");
    return code != nullptr && code->is_string() ? std::string(code->get_string()) : "";
}

class Console {
  public:
    Console(const ChatOptions& options, const ClientSetting& setting, client::Client& client,
            LineEditor& editor)
        : options_(options), setting_(setting), client_(client), editor_(editor) {
        talk_.set_system(options.system);
    }

    Result<void> run() {
        TT_CHECK(restore_history());
        choose_context();
        note("/help says what can be typed");
        ChatInput input;
        while (!is_ending_) {
            const auto typed = editor_.read(prompt(input.is_begun() ? ". " : "> "));
            if (typed.end == LineEditor::End::input) break;
            if (typed.end == LineEditor::End::interrupted) {
                input.take();
                continue;
            }
            if (!input.add(typed.text)) continue;
            const std::string text = input.take();
            if (text.find_first_not_of(" \t\n") == std::string::npos) continue;
            remember(text);
            if (const auto done = handle(text); !done) complain(done.error());
        }
        std::cerr << "\n";
        return {};
    }

  private:
    std::string prompt(std::string_view mark) const {
        if (colours_.prompt.empty()) return std::string(mark);
        return fmt::format("\1{}\1{}\1{}\1", colours_.prompt, mark, colours_.end);
    }
    void note(std::string_view text) const {
        std::cerr << colours_.note << text << colours_.end << "\n";
    }
    void complain(const Error& error) const {
        std::cerr << colours_.bad << error.message() << colours_.end << "\n";
    }

    Result<void> restore_history() {
        if (options_.history.empty()) return {};
        TT_TRY(const auto lines, load_history(options_.history));
        for (const std::string& line : lines) editor_.remember(line);
        return {};
    }

    void remember(const std::string& text) {
        editor_.remember(text);
        if (options_.history.empty()) return;
        if (const auto kept = append_history(options_.history, text); !kept) complain(kept.error());
    }

    void choose_context() {
        with_history_ = options_.context != ChatContext::off;
        if (options_.context != ChatContext::automatic || client_.entry() == nullptr) return;
        with_history_ = !has_no_template(*client_.entry());
        if (!with_history_) {
            note(
                "this model goes on with a text and knows no conversations: each prompt is sent "
                "alone (--context on sends what was said before, too)");
        }
    }

    Result<void> handle(const std::string& text) {
        TT_TRY(const auto command, parse_chat_command(text));
        switch (command.verb) {
            case ChatVerb::say:
                return say(command.argument);
            case ChatVerb::help:
                std::cerr << chat_help();
                return {};
            case ChatVerb::start_anew:
                talk_.clear();
                note("forgotten; the next prompt is the first one");
                return {};
            case ChatVerb::system:
                talk_.set_system(command.argument);
                note(command.argument.empty() ? "nothing is said of how to behave" : "noted");
                return {};
            case ChatVerb::retry: {
                const auto last = talk_.undo();
                if (!last) return fail(ErrorCode::invalid_argument, "nothing was asked yet");
                return say(*last);
            }
            case ChatVerb::undo:
                if (!talk_.undo())
                    return fail(ErrorCode::invalid_argument, "nothing was asked yet");
                note(fmt::format("taken back; {} messages are left", talk_.said().size()));
                return {};
            case ChatVerb::set:
                return set(command.argument);
            case ChatVerb::save:
                return save(command.argument);
            case ChatVerb::load:
                return load(command.argument);
            case ChatVerb::proof:
                return show_proof();
            case ChatVerb::cost:
                return show_cost();
            case ChatVerb::entry:
                return show_entry();
            case ChatVerb::quit:
                break;
        }
        is_ending_ = true;
        return {};
    }

    /// The flags' settings, and over them those of /set.
    boost::json::object settings() const {
        boost::json::object out = settings_of(options_);
        for (const auto& member : talk_.settings()) out[member.key()] = member.value();
        return out;
    }

    Result<void> say(const std::string& prompt) {
        if (!is_utf8(prompt)) return fail(ErrorCode::invalid_utf8, "the prompt is not UTF-8");
        while (true) {
            std::string shown;
            auto answered = ask(prompt, shown);
            if (answered) {
                last_ = std::move(*answered);
                ++answer_count_;
                prompt_tokens_ += last_->prompt_tokens;
                completion_tokens_ += last_->completion_tokens;
                talk_.add_exchange(prompt, last_->text);
                show_payment(setting_.payment, *last_);
                return options_.receipt.empty() ? Result<void>()
                                                : keep_receipts(client_, last_->parts, options_);
            }
            const std::string code = refusal_code(client_);
            const bool is_too_long = code == "context_exceeded" || code == "kv_cache_full";
            if (is_too_long && with_history_ && shown.empty() && talk_.drop_oldest()) {
                note(
                    "the conversation has no room any more: its oldest prompt and answer are "
                    "left out");
                continue;
            }
            if (answered.error().code == ErrorCode::cancelled) {
                note("stopped");
                // What came was said.
                if (!shown.empty()) talk_.add_exchange(prompt, shown);
                return {};
            }
            return answered.error();
        }
    }

    Result<ChatAnswer> ask(const std::string& prompt, std::string& shown) {
        const InterruptWatch watch;
        AnswerPrinter printer;
        auto answered = ask_network(client_, options_, setting_.payment,
                                    {.messages = talk_.messages(prompt, with_history_),
                                     .settings = settings(),
                                     .stop = watch.token(),
                                     .on_text = [&](std::string_view text) {
                                         shown += text;
                                         printer.print(text);
                                     }});
        printer.finish();
        if (answered || !shown.empty()) print_text("\n");
        return answered;
    }

    Result<void> set(const std::string& argument) {
        if (argument.empty()) {
            std::cerr << boost::json::serialize(settings()) << "\n";
            return {};
        }
        const size_t end = std::min(argument.find_first_of(" \t="), argument.size());
        const size_t value = argument.find_first_not_of(" \t=", end);
        return talk_.set(std::string_view(argument).substr(0, end),
                         value == std::string::npos ? std::string_view()
                                                    : std::string_view(argument).substr(value));
    }

    Result<void> save(const std::string& path) {
        const std::string text = talk_.encode();
        TT_CHECK(net::write_file_atomic(path, as_bytes(text), {.mode = 0600}));
        note("saved, for you alone to read");
        return {};
    }

    Result<void> load(const std::string& path) {
        TT_TRY(const auto text, net::read_file(path, conversation_bytes_max));
        auto loaded = Conversation::parse(as_text(text));
        if (!loaded) return in_context(path, std::move(loaded).error());
        talk_ = std::move(*loaded);
        note(fmt::format("{} messages", talk_.said().size()));
        return {};
    }

    Result<void> show_proof() {
        if (!last_) return fail(ErrorCode::invalid_argument, "there is no answer to prove yet");
        bool is_proven = true;
        for (const client::AnswerPart& part : last_->parts) {
            if (last_->parts.size() > 1) {
                std::cerr << fmt::format("--- the {} tokens from {}\n", part.token_count,
                                         part.entry_url);
            }
            const auto receipt = client_.fetch_receipt(part);
            if (!receipt) {
                is_proven = false;
                std::cerr << fmt::format("NOT PROVEN: there is no receipt of it: {}\n",
                                         receipt.error().message());
                continue;
            }
            ProofInput input{.receipt = *receipt, .part = part};
            if (setting_.payment.payer) input.anchor = fetch_anchor(part);
            TT_TRY(const auto proof, prove(input, setting_.terms, options_.rpc_urls));
            is_proven = is_proven && proof.is_accepted;
            std::cerr << proof.text;
        }
        if (!is_proven) std::cerr << colours_.bad << "not all is proven" << colours_.end << "\n";
        return {};
    }

    Result<std::string> fetch_anchor(const client::AnswerPart& part) const {
        TT_TRY(const auto opened, setting_.options.entries->open(part.entry_url));
        std::string body;
        TT_TRY(const auto answer,
               opened->entry.get(part.receipt_path + "/anchor", [&body](std::string_view chunk) {
                   body += chunk;
                   return body.size() <= client::payment_answer_bytes_max;
               }));
        if (answer.status != 200) return client::read_entry_error(answer.beginning).error;
        return body;
    }

    Result<void> show_cost() const {
        if (last_) {
            std::cerr << fmt::format("last answer: {} tokens, behind {} of the prompt\n",
                                     last_->completion_tokens, last_->prompt_tokens);
        }
        std::cerr << fmt::format("here so far: {} answers of {} tokens, behind {} of prompts\n",
                                 answer_count_, completion_tokens_, prompt_tokens_);
        const auto& voucher = setting_.payment.voucher;
        if (!voucher || client_.entry() == nullptr) {
            std::cerr << (setting_.payment.payer ? "free, for the host of a node\n"
                                                 : "answers of this network are free\n");
            return {};
        }
        if (const auto prices = voucher->prices()) {
            std::cerr << fmt::format("price: {} credits a token of the prompt, {} of the answer\n",
                                     prices->prompt, prices->completion);
        }
        TT_TRY(const auto standing, voucher->standing(*client_.entry()));
        const auto before =
            voucher->charged_before(client_.entry()->receipt_address()).value_or(standing.charged);
        const auto used = standing.charged + standing.held;
        std::cerr << fmt::format(
            "spent here with this entry: {} credits{}; left in the voucher: "
            "{}\n",
            standing.charged - before,
            standing.held == 0 ? std::string() : fmt::format(" and {} held", standing.held),
            standing.claimable - std::min(standing.claimable, used));
        return {};
    }

    Result<void> show_entry() const {
        if (client_.entry() == nullptr)
            return fail(ErrorCode::not_ready, "no entry is asked just now");
        const std::string& url = client_.entry()->url();
        std::cerr << url << ", ";
        show_route(client_.route());
        std::cerr << (options_.sealed ? "requests are sealed to the key in its evidence\n"
                                      : "over TLS with the certificate of its evidence\n");
        if (const auto known = setting_.options.entries->known(url))
            std::cerr << "verified at " << attest::format_utc(known->verified_at) << "\n";
        for (const std::string& other : setting_.options.entries->urls()) {
            if (other != url) std::cerr << "another one: " << other << "\n";
        }
        return {};
    }

    const ChatOptions& options_;
    const ClientSetting& setting_;
    client::Client& client_;
    LineEditor& editor_;
    const Palette colours_ = palette();
    Conversation talk_;
    std::optional<ChatAnswer> last_;
    uint64_t answer_count_ = 0;
    uint64_t prompt_tokens_ = 0;
    uint64_t completion_tokens_ = 0;
    bool with_history_ = true;
    bool is_ending_ = false;
};

}  // namespace

Result<void> converse(const ChatOptions& options, const ClientSetting& setting,
                      client::Client& client) {
    TT_TRY(const auto editor, LineEditor::open());
    return Console(options, setting, client, *editor).run();
}

}  // namespace teetee::cli
