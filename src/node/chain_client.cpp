// SPDX-License-Identifier: Apache-2.0
#include "node/chain_client.hpp"

#include <utility>

namespace teetee::node {
namespace {

// Endpoints answer with errors of JSON-RPC under any status; some, when they are busy, with a page.
Result<chain::RpcAnswer> decode(const Result<net::HttpClientResponse>& response, uint64_t id) {
    if (!response) {
        const Error& error = response.error();
        if (error.code == ErrorCode::body_too_large) return error;
        return fail(ErrorCode::rpc_unavailable, error.message());
    }
    auto answer = chain::decode_rpc_answer(response->body, id);
    if (answer || response->status == 200) return answer;
    return fail(ErrorCode::rpc_unavailable, "HTTP status " + std::to_string(response->status));
}

ChainClient::Options completed(ChainClient::Options options) {
    options.view.panel.endpoint_count = options.endpoints.size();
    options.view.panel.errors = chain::tee_tee::errors();
    options.sender.panel = options.view.panel;
    return options;
}

/// After a minute and a half without a block that has it, as SenderOptions are.
constexpr size_t attempts_of_trouble = 4;

std::optional<Error> trouble_of(const chain::Sender& sender) {
    if (sender.queued() == 0 && sender.in_flight().empty()) return std::nullopt;
    if (sender.problem()) return sender.problem();
    for (const chain::SentEntry& entry : sender.in_flight()) {
        if (entry.included_in || entry.attempts.size() < attempts_of_trouble) continue;
        return fail(ErrorCode::timed_out, "nonce " + std::to_string(entry.nonce) +
                                              " is in no block, though it was sent " +
                                              std::to_string(entry.attempts.size()) +
                                              " times with rising fees");
    }
    return std::nullopt;
}

chain::JournalHead head_of(const chain::ChainViewOptions& view) {
    return {.chain_id = view.panel.chain_id,
            .contract = view.contract,
            .start_block = view.start_block};
}

}  // namespace

ChainClient::ChainClient(const World& world, Options options, Hooks hooks)
    : world_(world),
      options_(completed(std::move(options))),
      hooks_(std::move(hooks)),
      view_(options_.view),
      store_(options_.folder, head_of(options_.view)) {}

ChainClient::~ChainClient() = default;

Result<std::unique_ptr<ChainClient>> ChainClient::start(const World& world, Options options,
                                                        const crypto::SecpKey* key, Hooks hooks) {
    const size_t count = options.endpoints.size();
    if (count == 0 || options.view.panel.quorum > count || options.view.panel.chain_id == 0) {
        return fail(ErrorCode::config_invalid,
                    "chain: have " + std::to_string(count) + " endpoints, a quorum of " +
                        std::to_string(options.view.panel.quorum) + " and chain id " +
                        std::to_string(options.view.panel.chain_id));
    }
    std::unique_ptr<ChainClient> out(new ChainClient(world, std::move(options), std::move(hooks)));
    TT_CHECK(out->open(key));
    if (count == 1)
        world.log.warn("chain: one endpoint is configured; whatever it says is believed");
    out->act_on_view([&](Instant now, auto& effects) { out->view_.start(now, effects); });
    if (out->sender_)
        out->act_on_sender([&](Instant now, auto& effects) { out->sender_->start(now, effects); });
    return out;
}

Result<void> ChainClient::open(const crypto::SecpKey* key) {
    for (const ChainEndpoint& endpoint : options_.endpoints) {
        net::HttpChannelOptions channel = {.url = endpoint.url,
                                           .headers = endpoint.headers,
                                           .time_max = options_.call_time_max,
                                           .web_pki = endpoint.web_pki};
        channel.headers.insert({"content-type", "application/json"});
        if (!channel.web_pki && channel.url.starts_with("https:")) channel.web_pki.emplace();
        TT_TRY(auto built, net::HttpChannel::build(world_.loop, std::move(channel)));
        channels_.push_back(std::move(built));
    }
    TT_CHECK(store_.load_journal(view_, options_.view));
    if (key == nullptr) return {};
    sender_ = std::make_unique<chain::Sender>(options_.sender, *key);
    TT_TRY(const Bytes saved, store_.load_sender());
    if (saved.empty()) return {};
    return sender_->restore(saved);
}

void ChainClient::act_on_view(const std::function<void(Instant, chain::ChainViewEffects&)>& act) {
    chain::ChainViewEffects effects;
    act(world_.clock.now(), effects);
    carry_out(std::move(effects));
}

void ChainClient::act_on_sender(const std::function<void(Instant, chain::SenderEffects&)>& act) {
    chain::SenderEffects effects;
    act(world_.clock.now(), effects);
    carry_out(std::move(effects));
}

void ChainClient::carry_out(chain::ChainViewEffects effects) {
    // What is not kept is read from the chain again, so this is no reason to stop.
    if (auto kept = store_.keep(effects); !kept)
        world_.log.warn("chain: the journal was not written: " + kept.error().message());
    for (const chain::RpcAsk& ask : effects.asks) {
        post(ask, [this, id = ask.id](Result<chain::RpcAnswer> answer) {
            act_on_view([&](Instant now, auto& next) {
                view_.on_answer(now, id, std::move(answer), next);
            });
        });
    }
    if (effects.wake_at) {
        view_timer_ = world_.loop.call_at(*effects.wake_at, [this] {
            act_on_view([this](Instant now, auto& next) { view_.on_time(now, next); });
        });
    }
    if (!effects.changed) return;
    tell_of_view();
    if (hooks_.on_change) hooks_.on_change();
}

void ChainClient::carry_out(chain::SenderEffects effects) {
    if (effects.save) {
        if (auto saved = store_.save_sender(*effects.save); !saved) {
            world_.log.error("chain: nothing is sent: " + saved.error().message());
            effects.asks.clear();
            chain::SenderEffects after;
            sender_->on_save_failed(world_.clock.now(), after);
            effects.wake_at = after.wake_at;
        }
    }
    for (const chain::RpcAsk& ask : effects.asks) {
        post(ask, [this, id = ask.id](Result<chain::RpcAnswer> answer) {
            act_on_sender([&](Instant now, auto& next) {
                sender_->on_answer(now, id, std::move(answer), next);
            });
        });
    }
    if (effects.wake_at) {
        sender_timer_ = world_.loop.call_at(*effects.wake_at, [this] {
            act_on_sender([this](Instant now, auto& next) { sender_->on_time(now, next); });
        });
    }
    for (const chain::SendOutcome& outcome : effects.outcomes) {
        // Own transactions are seen in the view as soon as they can be.
        act_on_view([this](Instant now, auto& next) { view_.poll_soon(now, next); });
        if (hooks_.on_outcome) hooks_.on_outcome(outcome);
    }
    tell_of_sender();
}

void ChainClient::post(const chain::RpcAsk& ask, Done done) {
    channels_[ask.endpoint]->post(
        chain::encode_rpc_request(ask.call, ask.id),
        [alive = std::weak_ptr(alive_), id = ask.id,
         done = std::move(done)](Result<net::HttpClientResponse> response) {
            if (alive.lock()) done(decode(response, id));
        });
}

void ChainClient::ask(const chain::RpcCall& call, Done done) {
    size_t endpoint = 0;
    const auto& statuses = view_.endpoints();
    while (endpoint + 1 < statuses.size() &&
           statuses[endpoint].state != chain::EndpointState::usable)
        ++endpoint;
    post({.id = next_call_++, .endpoint = endpoint, .call = call}, std::move(done));
}

void ChainClient::ask_gas_price(std::function<void(Result<chain::U256>)> done) {
    const chain::FeeOptions& fees = options_.sender.fees;
    ask(chain::call_fee_history(fees.history_blocks, {fees.percentile}),
        [fees, done = std::move(done)](Result<chain::RpcAnswer> answer) {
            const auto price = [&]() -> Result<chain::U256> {
                TT_TRY(auto taken, std::move(answer));
                TT_TRY(const auto result, chain::take_result(std::move(taken)));
                TT_TRY(const auto history, chain::parse_rpc_fee_history(result));
                return chain::price_of_gas(history, fees);
            };
            done(price());
        });
}

Result<Bytes> ChainClient::data_of(Result<chain::RpcAnswer> answer) {
    TT_TRY(auto taken, std::move(answer));
    TT_TRY(const auto result, chain::take_result(std::move(taken), chain::tee_tee::errors()));
    return chain::parse_rpc_data(result);
}

Result<void> ChainClient::submit(chain::SendIntent intent) {
    if (!sender_) return fail(ErrorCode::config_invalid, "chain: have no key to sign with");
    chain::SenderEffects effects;
    auto submitted = sender_->submit(world_.clock.now(), std::move(intent), effects);
    carry_out(std::move(effects));
    return submitted;
}

bool ChainClient::cancel(std::string_view key) {
    if (!sender_) return false;
    chain::SenderEffects effects;
    const bool cancelled = sender_->cancel(key, effects);
    carry_out(std::move(effects));
    return cancelled;
}

void ChainClient::tell_of_view() {
    const auto status = view_.status();
    std::string now = status.problem ? status.problem->message() : "";
    if (now == told_) return;
    if (now.empty()) {
        world_.log.info("chain: all is well again");
    } else {
        world_.log.warn("chain: " + now);
    }
    told_ = std::move(now);
}

/// Each kind of trouble once, whatever the numbers in it.
void ChainClient::tell_of_sender() {
    if (sender_->is_polling()) return;
    auto trouble = trouble_of(*sender_);
    const auto code_of = [](const std::optional<Error>& error) {
        return error ? error->code : ErrorCode{};
    };
    const bool is_news = code_of(trouble) != code_of(sender_trouble_);
    sender_trouble_ = std::move(trouble);
    if (!is_news) return;
    if (!sender_trouble_) return world_.log.info("chain: transactions are no longer held up");
    world_.log.warn("chain: transactions are held up: " + sender_trouble_->message());
}

}  // namespace teetee::node
