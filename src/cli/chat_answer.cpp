// SPDX-License-Identifier: Apache-2.0
#include "cli/chat_answer.hpp"

#include <iostream>

#include <fmt/format.h>

#include "cli/route_notice.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

uint64_t count_at(const boost::json::object& usage, std::string_view name) {
    const auto* value = usage.if_contains(name);
    return value != nullptr && value->is_int64() && value->get_int64() > 0
               ? static_cast<uint64_t>(value->get_int64())
               : 0;
}

/// Once the receipt is made, which is when an answer is charged: it is waited for, by asking for
/// it.
std::optional<billing::Standing> standing_of(client::Client& client, const Payment& payment,
                                             const client::AnswerPart& last) {
    const client::VerifiedEntry* entry = client.entry();
    if (!payment.voucher || entry == nullptr) return std::nullopt;
    static_cast<void>(client.fetch_receipt(last));
    const auto standing = payment.voucher->standing(*entry);
    return standing ? std::optional(*standing) : std::nullopt;
}

Result<void> keep_receipt(client::Client& client, const client::AnswerPart& part,
                          const ChatOptions& options, const std::string& path) {
    TT_TRY(const auto receipt, client.fetch_receipt(part));
    TT_CHECK(net::write_file_atomic(path, as_bytes(receipt), {.mode = 0600}));
    std::cerr << "receipt: " << path << "; teetee verify " << path
              << (options.fresh_quotes ? " --require-fresh-quotes" : "") << " checks it\n";
    return {};
}

}  // namespace

boost::json::object settings_of(const ChatOptions& options) {
    boost::json::object out = {{"temperature", options.temperature}};
    if (options.presence_penalty != 0) out["presence_penalty"] = options.presence_penalty;
    if (options.repetition_penalty != 1) out["repetition_penalty"] = options.repetition_penalty;
    if (options.tokens_max > 0) out["max_tokens"] = options.tokens_max;
    if (options.seed) out["seed"] = *options.seed;
    return out;
}

void show_route(const client::VerifiedEntry::Route& route) {
    std::cerr << route_notice(route);
}

Result<ChatAnswer> ask_network(client::Client& client, const ChatOptions& options,
                               const Payment& payment, const ChatQuestion& question) {
    ChatAnswer out;
    boost::json::object body = question.settings;
    body["messages"] = question.messages;
    body["stream_options"] = {{"include_usage", true}};
    if (options.fresh_quotes) body["attest"] = "quote";
    size_t known_count = 0;
    client::Client::Events events;
    events.on_text = [&](std::string_view text) {
        out.text += text;
        question.on_text(text);
    };
    events.on_event = [&](const boost::json::object& event) {
        const auto* usage = event.if_contains("usage");
        if (usage == nullptr || !usage->is_object()) return;
        // An entry that goes on counts what it was given as its prompt.
        const uint64_t prompt = count_at(usage->get_object(), "prompt_tokens");
        out.prompt_tokens = prompt - std::min<uint64_t>(prompt, known_count);
        out.completion_tokens = count_at(usage->get_object(), "completion_tokens") + known_count;
    };
    events.on_asked = [&](const client::Entries::Opened&, size_t count) { known_count = count; };
    events.on_opened = [&client](const std::string& url) {
        std::cerr << fmt::format("\n{}, ", url);
        show_route(client.route());
    };
    events.on_moved = [](const std::string& url, size_t token_count, const Error& why) {
        std::cerr << fmt::format("{} goes on behind token {}: {}\n", url, token_count,
                                 why.message());
    };
    TT_TRY(out.parts, client.ask({.body = std::move(body), .stop = question.stop}, events));
    out.standing = standing_of(client, payment, out.parts.back());
    return out;
}

void show_payment(const Payment& payment, const ChatAnswer& answer) {
    if (!payment.voucher) return;
    if (answer.parts.back().ended_by_payment) {
        std::cerr << "the answer ends here because no more of it is paid for: a voucher of a "
                     "higher ceiling (teetee voucher open), or --spend-max, lets it go on\n";
    }
    if (!answer.standing) return;
    const auto used = answer.standing->charged + answer.standing->held;
    std::cerr << fmt::format(
        "voucher: {} credits used with this entry, {} left\n", used,
        answer.standing->claimable - std::min(answer.standing->claimable, used));
}

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

}  // namespace teetee::cli
