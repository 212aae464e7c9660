// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "attest/limits.hpp"
#include "attest/peer.hpp"
#include "attest/receipt_json.hpp"
#include "base/world.hpp"
#include "cli/command.hpp"
#include "cli/network_files.hpp"
#include "net/address.hpp"
#include "net/file.hpp"
#include "net/http_client.hpp"

namespace teetee::cli {
namespace {

struct ChatOptions : NetworkFiles {
    std::string entry;
    std::string prompt;
    std::string receipt;
    uint32_t tokens_max = 0;
    double temperature = 0.6;
    std::optional<int64_t> seed;
};

/// An entry that is spoken to only over connections whose certificate has been verified.
class VerifiedEntry {
  public:
    static Result<VerifiedEntry> open(const ChatOptions& options);

    /// Checks the certificate of a connection, then the evidence of every node of the route.
    struct Route {
        size_t node_count = 0;
        bool simulated = false;
    };
    Result<Route> verify_route() const;

    /// Streams an answer; on_text is called with each piece. Where its receipt is.
    Result<std::string> ask(const boost::json::object& body,
                            const std::function<void(std::string_view)>& on_text) const;
    Result<std::string> fetch_receipt(const std::string& path) const;

  private:
    net::HttpClientRequest request(std::string_view path) const;

    std::string url_;
    NetworkTerms terms_;
};

Result<VerifiedEntry> VerifiedEntry::open(const ChatOptions& options) {
    VerifiedEntry entry;
    entry.url_ = options.entry.empty() ? fmt::format("https://127.0.0.1:{}", options.port + 1)
                                       : options.entry;
    TT_TRY(const auto url, net::parse_url(entry.url_));
    if (!url.tls)
        return fail(ErrorCode::address_invalid, entry.url_ + ": need https, the attested API");
    TT_TRY(entry.terms_, NetworkTerms::load(options));
    return entry;
}

net::HttpClientRequest VerifiedEntry::request(std::string_view path) const {
    net::HttpClientRequest request;
    request.url = url_ + std::string(path);
    request.time_max = std::chrono::minutes(10);
    request.verify_certificate = [this](ByteView der) -> Result<void> {
        TT_TRY(const auto peer, attest::verify_peer(der, terms_.expectation(), terms_.policy,
                                                    SystemClock().unix_now()));
        if (peer.statement.layers.begin != 0)
            return fail(ErrorCode::shard_rejected, "this node is not an entry");
        return {};
    };
    return request;
}

Result<VerifiedEntry::Route> VerifiedEntry::verify_route() const {
    TT_TRY(const auto response, net::http_fetch(request("/attestation")));
    if (response.status != 200)
        return fail(ErrorCode::not_ready, "the entry has no complete route yet");
    boost::system::error_code failed;
    const auto body = boost::json::parse(response.body, failed);
    const auto* nodes = failed                        ? nullptr
                        : body.if_object() == nullptr ? nullptr
                                                      : body.as_object().if_contains("nodes");
    if (nodes == nullptr || !nodes->is_array())
        return fail(ErrorCode::invalid_json, "/attestation is malformed");
    Route route;
    uint32_t next_layer = 0;
    for (const auto& node : nodes->as_array()) {
        const auto* object = node.if_object();
        const auto* statement_text = object == nullptr ? nullptr : object->if_contains("statement");
        const auto* quote_text = object == nullptr ? nullptr : object->if_contains("quote");
        if (statement_text == nullptr || quote_text == nullptr || !statement_text->is_string() ||
            !quote_text->is_string()) {
            return fail(ErrorCode::evidence_missing, "a node of the route shows no evidence");
        }
        TT_TRY(const auto statement, from_base64(statement_text->get_string()));
        TT_TRY(const auto quote, from_base64(quote_text->get_string()));
        attest::EvidenceView evidence{statement, quote, std::nullopt};
        TT_TRY(const auto peer, attest::verify_evidence(evidence, terms_.expectation(),
                                                        terms_.policy, SystemClock().unix_now()));
        if (peer.statement.layers.begin != next_layer)
            return fail(ErrorCode::shard_rejected, "the route leaves out layers");
        next_layer = peer.statement.layers.end;
        ++route.node_count;
        route.simulated = route.simulated || peer.simulated;
    }
    if (next_layer != terms_.manifest.layer_count)
        return fail(ErrorCode::shard_rejected, "the route leaves out layers");
    return route;
}

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

Result<std::string> VerifiedEntry::fetch_receipt(const std::string& path) const {
    if (!path.starts_with("/v1/receipts/"))
        return fail(ErrorCode::receipt_unknown, "the entry named no receipt");
    net::HttpClientRequest http = request(path);
    std::string receipt;
    http.on_body_chunk = [&](std::string_view chunk) {
        receipt += chunk;
        return receipt.size() <= attest::receipt_bytes_max;
    };
    TT_TRY(const auto response, net::http_fetch(http));
    if (response.status != 200) return fail(ErrorCode::receipt_unknown, quote_foreign(receipt));
    TT_CHECK(attest::parse_receipt(receipt));
    return receipt;
}

Result<std::string> VerifiedEntry::ask(const boost::json::object& body,
                                       const std::function<void(std::string_view)>& on_text) const {
    net::HttpClientRequest http = request("/v1/chat/completions");
    http.method = "POST";
    http.headers["content-type"] = "application/json";
    http.body = boost::json::serialize(body);
    EventReader reader(on_text);
    std::string plain;
    http.on_body_chunk = [&](std::string_view chunk) {
        if (plain.size() < 4096) plain += chunk;
        return reader.feed(chunk);
    };
    auto response = net::http_fetch(http);
    if (response && response->status != 200) return fail(ErrorCode::stage_failed, plain);
    // Once the answer is complete, how the connection ends is of no interest.
    if (auto outcome = reader.outcome(); !outcome)
        return response ? std::move(outcome).error() : std::move(response).error();
    return reader.receipt_path();
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
    std::string answer;
    TT_TRY(const auto receipt_path, entry.ask(body, [&](std::string_view text) {
        answer += text;
        if (!session.json) print_text(text);
    }));
    if (session.json)
        print_json({{"prompt", prompt}, {"text", answer}, {"receipt", receipt_path}});
    else
        print_text("\n");
    if (options.receipt.empty()) return {};
    TT_TRY(const auto receipt, entry.fetch_receipt(receipt_path));
    TT_CHECK(net::write_file_atomic(options.receipt, as_bytes(receipt), {.mode = 0600}));
    std::cerr << "receipt: " << options.receipt << "; teetee verify " << options.receipt
              << " checks it\n";
    return {};
}

Result<void> chat(const ChatOptions& options, Session& session) {
    TT_TRY(const auto entry, VerifiedEntry::open(options));
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
    command
        ->add_option("--entry", options->entry,
                     "URL of the entry's attested API, https://HOST:PORT")
        ->envname("TEETEE_ENTRY");
    command->add_option("--prompt,-p", options->prompt, "Ask this and end");
    command->add_option("-n,--tokens-max", options->tokens_max, "Tokens of an answer at most");
    command->add_option("--temperature", options->temperature, "0 is greedy")
        ->capture_default_str();
    command->add_option("--receipt", options->receipt,
                        "Write the receipt of the (last) answer to this file");
    command->add_option("--seed", options->seed, "Same seed, same answer");
}

}  // namespace teetee::cli
