// SPDX-License-Identifier: Apache-2.0
#include "cli/chain_session.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "cli/progress.hpp"

namespace teetee::cli {
namespace {

using std::chrono::milliseconds;

constexpr Duration tick = milliseconds(20);
constexpr Duration dev_poll_interval = milliseconds(200);
/// Blocks of a rollup are taken back by its sequencer rarely and not deep; a fork that goes deeper
/// has everything read anew.
constexpr uint64_t settled_depth = 16;
constexpr uint64_t usual_confirmations = 3;

chain::FeeOptions fees_of(const ChainSession::Options& options) {
    chain::FeeOptions out;
    if (options.max_fee) out.ceiling = *options.max_fee;
    return out;
}

node::ChainClient::Options client_options(const ChainSession::Options& options) {
    node::ChainClient::Options out;
    for (const std::string& url : options.target.rpc_urls) out.endpoints.push_back({.url = url});
    out.view.contract = options.target.deployment.contract;
    out.view.start_block = options.target.start_block;
    out.view.panel.chain_id = options.target.deployment.chain_id;
    out.view.panel.use_finalized = false;
    out.view.finality_depth = options.facts.is_dev ? 0 : settled_depth;
    out.sender.confirmations = options.confirmations != 0 ? options.confirmations
                               : options.facts.is_dev     ? 1
                                                          : usual_confirmations;
    out.sender.fees = fees_of(options);
    if (options.facts.is_dev) {
        out.view.poll_interval = dev_poll_interval;
        out.sender.poll_interval = dev_poll_interval;
    }
    if (options.folder) out.folder = options.folder->path();
    return out;
}

}  // namespace

Result<std::unique_ptr<ChainSession>> ChainSession::open(Options options) {
    std::unique_ptr<ChainSession> out(new ChainSession(std::move(options)));
    TT_CHECK(out->start());
    return out;
}

chain::FeeOptions ChainSession::fees() const {
    return fees_of(options_);
}

Result<void> ChainSession::start() {
    TT_TRY(client_, node::ChainClient::start(
                        {.loop = loop_, .clock = clock_, .log = log_}, client_options(options_),
                        options_.key ? &*options_.key : nullptr,
                        {.on_outcome = [this](const chain::SendOutcome& outcome) {
                            outcomes_.insert_or_assign(outcome.key, outcome.result);
                        }}));
    return {};
}

ChainSession::Wait ChainSession::wait(const std::function<bool()>& done) {
    const Instant deadline = clock_.now() + options_.wait_max;
    std::optional<Wait> why;
    net::Timer timer;
    std::function<void()> look = [&] {
        if (done()) {
            why = Wait::done;
        } else if (is_interrupted_) {
            why = Wait::interrupted;
        } else if (clock_.now() >= deadline) {
            why = Wait::late;
        }
        if (why) return loop_.stop();
        timer = loop_.call_after(tick, look);
    };
    look();
    if (!why) loop_.run();
    return why.value_or(Wait::interrupted);
}

Result<void> ChainSession::catch_up(uint64_t block) {
    const auto bar = progress_bar("reading the chain");
    const auto& view = client_->view();
    const auto is_there = [&] {
        const auto status = view.status();
        const uint64_t at = status.latest ? status.latest->number : 0;
        if (bar && status.head > options_.target.start_block)
            bar(std::min(at, status.head) - std::min(at, options_.target.start_block),
                status.head - options_.target.start_block);
        return client_->money().has_value() && at >= block;
    };
    if (wait(is_there) == Wait::done) return {};
    const auto money = client_->money();
    if (!money && money.error().code != ErrorCode::not_ready) return money.error();
    return fail(ErrorCode::timed_out, "the chain was not read in time; again goes on from there");
}

Result<boost::json::value> ChainSession::ask(const chain::RpcCall& call) {
    std::optional<Result<chain::RpcAnswer>> answer;
    client_->ask(call, [&answer](Result<chain::RpcAnswer> given) { answer = std::move(given); });
    if (wait([&] { return answer.has_value(); }) != Wait::done)
        return fail(ErrorCode::timed_out, call.method + ": no answer");
    if (!*answer) return answer->error();
    return chain::take_result(std::move(**answer), chain::tee_tee::errors());
}

Result<uint64_t> ChainSession::time() {
    TT_TRY(const auto answer, ask(chain::call_block(chain::BlockTag::latest())));
    TT_TRY(const auto block, chain::parse_rpc_block(answer));
    if (!block) return fail(ErrorCode::rpc_malformed, "the chain has no latest block");
    return std::max(block->timestamp, static_cast<uint64_t>(clock_.unix_now()));
}

ChainSession::Sent ChainSession::send(const chain::SendIntent& intent) {
    // From here on being ended means telling what is under way.
    loop_.on_signal([this](int) { is_interrupted_ = true; });
    if (auto submitted = client_->submit(intent); !submitted)
        return {.result = submitted.error(), .is_open = true};
    const auto is_over = [&] {
        narrate(intent.key);
        return outcomes_.contains(intent.key);
    };
    if (const Wait why = wait(is_over); why != Wait::done) return give_up(intent, why);
    return {.result = outcomes_.at(intent.key), .is_open = false};
}

ChainSession::Sent ChainSession::give_up(const chain::SendIntent& intent, Wait why) {
    const auto code = why == Wait::late ? ErrorCode::timed_out : ErrorCode::cancelled;
    const auto& problem = client_->sender()->problem();
    const std::string because = problem ? " (" + problem->message() + ")" : "";
    if (client_->cancel(intent.key))
        return {.result = fail(code, "nothing was sent" + because), .is_open = false};
    return {.result = fail(code, "the transaction was sent and may yet be taken" + because +
                                     "; run the same command again: it goes on with this one"),
            .is_open = true};
}

void ChainSession::narrate(std::string_view key) {
    const chain::Sender& sender = *client_->sender();
    const auto found = std::ranges::find_if(
        sender.in_flight(), [&](const chain::SentEntry& entry) { return entry.intent.key == key; });
    if (found == sender.in_flight().end()) {
        if (sender.problem()) say("waiting: " + sender.problem()->message());
        return;
    }
    const std::string hash = "0x" + to_hex(found->attempts.back().hash);
    say(found->included_in
            ? fmt::format("transaction {} is in block {}, waiting for its confirmations", hash,
                          *found->included_in)
            : fmt::format("sent transaction {}, waiting for a block", hash));
}

void ChainSession::say(std::string text) {
    if (text == said_) return;
    std::fprintf(stderr, "%s\n", text.c_str());
    said_ = std::move(text);
}

}  // namespace teetee::cli
