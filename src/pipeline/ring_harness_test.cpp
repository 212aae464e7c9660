// SPDX-License-Identifier: Apache-2.0
#include "pipeline/ring_harness.hpp"

#include "crypto/hash.hpp"
#include "wire/codec.hpp"

namespace teetee::pipeline::testing {

World::World(WorldOptions options)
    : options_(options),
      random_{options.seed},
      entry_(std::make_unique<Entry>(
          EntryOptions{.node_id = node_id(0),
                       .engine = engine_limits({0, layer_count / options.stage_count}, options),
                       .chunk_rows = options.chunk_rows,
                       .batch_rows_max = options.batch_rows_max,
                       .queued_max = options.queued_max,
                       .drafts_max = options.drafts_max,
                       .activations = options.activations,
                       .has_draft_model = options.has_draft_model,
                       .reroute_timeout = options.reroute_timeout,
                       .records = records()})),
      nodes_(options.stage_count),
      links_(options.stage_count) {
    nodes_[0].engine = std::make_unique<FakeEngine>(engine_limits(layers(0), options_));
    entry_->set_evidence(statement(0), Bytes(3));
    std::vector<wire::NodeId> path;
    for (uint32_t i = 0; i < options_.stage_count; ++i) path.push_back(node_id(i));
    Effects effects;
    route_ = entry_->add_route(now_, std::move(path), effects);
    act(0, std::move(effects));
    for (uint32_t i = 1; i < options_.stage_count; ++i) restart(i);
    run_for(std::chrono::milliseconds(100));
    EXPECT_TRUE(entry_->ready());
}

std::shared_ptr<const attest::RecordSigner> World::signer(uint32_t index) const {
    if (!options_.has_records) return nullptr;
    attest::Statement statement;
    statement.model_root = {9};
    statement.shard_root = {static_cast<uint8_t>(index + 1)};
    statement.layers = layers(index);
    statement.receipt_address = node_id(index);
    return std::make_shared<attest::RecordSigner>(receipt_key(index), statement);
}

RecordCollector::Options World::records() const {
    RecordCollector::Options out{.signer = signer(0)};
    for (uint32_t i = 0; i < options_.stage_count; ++i)
        out.shard_roots[layers(i)] = {static_cast<uint8_t>(i + 1)};
    return out;
}

Result<void> World::submit(Submission submission) {
    const RequestId request = submission.request;
    submissions_[request] = submission;
    Effects effects;
    const auto accepted = entry_->submit(now_, std::move(submission), effects);
    if (accepted) open_.insert(request);
    act(0, std::move(effects));
    return accepted;
}

Result<Usage> World::cancel(RequestId request, uint32_t delivered) {
    Effects effects;
    auto usage = entry_->cancel(now_, request, effects, delivered);
    open_.erase(request);
    act(0, std::move(effects));
    return usage;
}

QuoteOrder World::quote_order(uint64_t number) const {
    QuoteOrder order{
        .request = request_id(number), .route = route(), .nonce = {static_cast<uint8_t>(number)}};
    for (uint32_t i = 0; i < options_.stage_count; ++i) {
        order.statements.push_back(crypto::sha256(statement(i)));
        order.report_data[layers(i)] = attest::report_data(statement(i), order.nonce);
    }
    return order;
}

void World::ask_for_quotes(QuoteOrder order) {
    Effects effects;
    entry_->ask_for_quotes(now_, std::move(order), effects);
    act(0, std::move(effects));
}

SignOffOrder World::sign_off_order(uint64_t id, const std::vector<uint32_t>& nodes) {
    SignOffOrder order{.id = id, .digest = {static_cast<uint8_t>(id), 0xd1}};
    for (const uint32_t node : nodes)
        order.bodies[node_id(node)] = {static_cast<uint8_t>(id), static_cast<uint8_t>(node)};
    return order;
}

void World::ask_to_sign(SignOffOrder order) {
    Effects effects;
    entry_->ask_to_sign(now_, std::move(order), effects);
    act(0, std::move(effects));
}

std::optional<SignOffOutcome> World::signed_off(uint64_t id) const {
    const auto found = signed_off_.find(id);
    return found == signed_off_.end() ? std::nullopt : std::optional(found->second);
}

Result<crypto::RecoverableSignature> World::sign_off(uint32_t index, const SignOffJob& job) {
    EXPECT_EQ(job.body.at(1), index);
    return receipt_key(index).sign_recoverable({job.body.at(0), 0xd1});
}

template <class Event>
void World::tell(uint32_t index, Event event) {
    Effects effects;
    if (index == 0)
        event(*entry_, effects);
    else if (nodes_[index].stage)
        event(*nodes_[index].stage, effects);
    act(index, std::move(effects));
}

void World::deliver(uint32_t index, uint32_t from, wire::Frame frame) {
    tell(index, [&](auto& node, Effects& effects) {
        node.on_frame(now_, node_id(from), std::move(frame), effects);
    });
}

void World::inject(uint32_t index, Direction from, wire::Message message) {
    deliver(index, from == Direction::next ? next(index) : previous(index),
            {route(), std::move(message)});
}

void World::tell_link(uint32_t index, uint32_t peer, bool is_up) {
    tell(index, [&](auto& node, Effects& effects) {
        if (is_up)
            node.on_link_up(now_, node_id(peer), effects);
        else
            node.on_link_down(now_, node_id(peer), effects);
    });
}

void World::cut_link(uint32_t index) {
    Link& link = links_[link_behind(index)];
    if (!link.is_up) return;
    link = {.is_up = false, .life = link.life + 1};
    tell_link(index, next(index), false);
    tell_link(next(index), index, false);
}

void World::join_link(uint32_t index) {
    Link& link = links_[link_behind(index)];
    const bool ends =
        (index == 0 || nodes_[index].stage) && (next(index) == 0 || nodes_[next(index)].stage);
    if (link.is_up || !ends || next(index) == index) return;
    link.is_up = true;
    tell_link(index, next(index), true);
    tell_link(next(index), index, true);
}

void World::kill(uint32_t index) {
    Node& node = nodes_[index];
    ++node.life;
    node.stage.reset();
    node.engine.reset();
    node.is_stalled = false;
    node.held.clear();
    cut_link(index);
    cut_link(previous(index));
}

void World::restart(uint32_t index) {
    const EngineLimits limits = engine_limits(layers(index), options_);
    Node& node = nodes_[index];
    node.stage = std::make_unique<Stage>(
        StageOptions{.node_id = node_id(index), .engine = limits, .signer = signer(index)});
    node.stage->set_evidence(statement(index), Bytes(3, static_cast<uint8_t>(index)));
    node.engine = std::make_unique<FakeEngine>(limits);
    join_link(previous(index));
    join_link(index);
}

void World::revive(uint32_t index) {
    if (!nodes_[index].stage) restart(index);
    resume(index);
    join_link(previous(index));
    join_link(index);
}

void World::resume(uint32_t index) {
    nodes_[index].is_stalled = false;
    for (auto& run : std::exchange(nodes_[index].held, {})) run();
}

void World::act(uint32_t index, Effects effects) {
    EXPECT_LE(effects.jobs.size(), 1u);
    for (Send& message : effects.sends) send(index, std::move(message));
    for (const ClientEvent& event : effects.events) on_event(event);
    const uint64_t life = nodes_[index].life;
    for (ComputeJob& job : effects.jobs) {
        auto result = std::make_shared<ComputeResult>(nodes_[index].engine->compute(job));
        at(now_ + delay(), [this, index, life, result] {
            if (nodes_[index].life != life) return;
            tell(index, [&](auto& node, Effects& more) {
                node.on_computed(now_, std::move(*result), more);
            });
        });
    }
    for (const QuoteJob& job : effects.quotes) make_quote(index, job);
    for (const SignOffJob& job : effects.sign_offs) sign(index, job);
    for (SignOffOutcome& outcome : effects.outcomes)
        EXPECT_TRUE(signed_off_.emplace(outcome.id, std::move(outcome)).second);
    for (const DraftJob& job : effects.drafts) draft(job);
    for (const Timer& timer : effects.timers) {
        at(timer.at, [this, index, life, timer] {
            if (nodes_[index].life != life) return;
            tell(index, [&](auto& node, Effects& more) { node.on_timer(now_, timer.id, more); });
        });
    }
}

void World::make_quote(uint32_t index, const QuoteJob& job) {
    const auto quote = tee(index, job);
    if (!quote) return;
    at(now_ + delay(),
       [this, index, life = nodes_[index].life, request = job.request, quote = *quote] {
           if (nodes_[index].life != life) return;
           tell(index, [&](auto& node, Effects& more) {
               node.on_quoted(now_, {request, quote}, more);
           });
       });
}

void World::sign(uint32_t index, const SignOffJob& job) {
    const auto signature = owner(index, job);
    if (!signature) return;
    at(now_ + delay(),
       [this, index, life = nodes_[index].life, id = job.id, signature = *signature] {
           if (nodes_[index].life != life) return;
           tell(index, [&](auto& node, Effects& more) {
               node.on_signed_off(now_, {id, signature}, more);
           });
       });
}

void World::draft(const DraftJob& job) {
    EXPECT_TRUE(options_.has_draft_model);
    for (const RequestId& request : job.closes) EXPECT_EQ(drafted_.erase(request), 1u);
    if (job.text.empty()) return;
    drafted_.insert(job.request);
    EXPECT_LE(++unanswered_drafts_, 2u);
    const auto drafted = draft_model(job);
    if (!drafted) return;
    // One after the other.
    draft_model_free_at_ = std::max(draft_model_free_at_, now_) + drafted->takes;
    at(draft_model_free_at_, [this, result = drafted->result] {
        --unanswered_drafts_;
        tell(0, [&](auto& node, Effects& more) {
            if constexpr (requires { node.on_drafted(now_, result, more); })
                node.on_drafted(now_, result, more);
        });
    });
}

void World::send(uint32_t index, Send send) {
    if (tap) tap(index, send.frame.message);
    const bool forwards = send.to == node_id(next(index));
    ASSERT_TRUE(forwards || send.to == node_id(previous(index)));
    const uint32_t link_index = link_behind(forwards ? index : previous(index));
    const uint32_t to = forwards ? next(index) : previous(index);
    Link& link = links_[link_index];
    if (!link.is_up) return;
    Instant& last = link.last[index];
    last = std::max(last, now_ + delay());
    const uint64_t life = link.life;
    at(last, [this, index, to, link_index, life, frame = wire::encode(send.frame)] {
        const auto arrive = [this, index, to, link_index, life, frame] {
            if (links_[link_index].life != life) return;
            auto decoded = wire::decode(frame, {});
            ASSERT_TRUE(decoded) << decoded.error().message();
            EXPECT_EQ(decoded->route, route());
            deliver(to, index, std::move(decoded).value());
        };
        if (nodes_[to].is_stalled)
            nodes_[to].held.emplace_back(arrive);
        else
            arrive();
    });
}

void World::on_event(const ClientEvent& event) {
    if (const auto* token = std::get_if<ClientToken>(&event)) {
        Outcome& outcome = outcomes_[token->request];
        EXPECT_FALSE(outcome.is_over());
        EXPECT_EQ(token->index, outcome.tokens.size());
        outcome.tokens.push_back(token->token);
        if (token->logprobs) outcome.logprobs.push_back(*token->logprobs);
        return;
    }
    if (const auto* records = std::get_if<ClientRecords>(&event)) {
        outcomes_[records->request].records.push_back(*records);
        EXPECT_FALSE(open_.contains(records->request));
        EXPECT_EQ(outcomes_[records->request].records.size(), 1u);
        return;
    }
    if (const auto* quotes = std::get_if<ClientQuotes>(&event)) {
        outcomes_[quotes->request].quotes.push_back(*quotes);
        EXPECT_EQ(outcomes_[quotes->request].quotes.size(), 1u);
        return;
    }
    RequestId request;
    if (const auto* done = std::get_if<ClientDone>(&event)) {
        request = done->request;
        outcomes_[request].reason = done->reason;
        outcomes_[request].usage = done->usage;
    } else {
        const auto& failed = std::get<ClientFailed>(event);
        request = failed.request;
        outcomes_[request].failure = failed.error.code;
        outcomes_[request].usage = failed.usage;
    }
    outcomes_[request].ended = now_;
    EXPECT_EQ(open_.erase(request), 1u) << "ended twice, or nobody asked for it";
    EXPECT_EQ(outcomes_[request].usage.completion_tokens, outcomes_[request].tokens.size());
}

void World::run_for(Duration duration) {
    const Instant end = now_ + duration;
    while (!events_.empty() && events_.begin()->first.first <= end) {
        auto event = events_.extract(events_.begin());
        now_ = event.key().first;
        event.mapped()();
    }
    now_ = end;
}

void World::finish() {
    const Instant deadline = now_ + std::chrono::minutes(1);
    while (!open_.empty() && now_ < deadline) run_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(open_.empty()) << open_.size() << " requests hang";
    run_for(std::chrono::milliseconds(200));
}

void World::expect_idle() {
    // What is parked goes by itself.
    const auto has_parked = [](const Node& node) {
        return node.stage && node.stage->parked_count() > 0;
    };
    if (std::ranges::any_of(nodes_, has_parked)) run_for(StageOptions{}.park_time);
    EXPECT_EQ(entry_->active_count(), 0u);
    EXPECT_EQ(entry_->queued_count(), 0u);
    EXPECT_EQ(entry_->in_flight_count(), 0u);
    EXPECT_TRUE(drafted_.empty());
    const size_t retained = entry_->retained_page_count();
    EXPECT_EQ(entry_->kv_used().positions,
              retained * engine_limits(layers(0), options_).block_positions);
    for (const Node& node : nodes_) {
        if (node.engine) {
            EXPECT_EQ(node.engine->sequence_count(), 0u);
            EXPECT_EQ(node.engine->retained_count(),
                      node.stage ? node.stage->retained_page_count() : retained);
        }
        if (node.stage) {
            EXPECT_EQ(node.stage->sequence_count(), 0u);
            EXPECT_EQ(node.stage->kv_free().sequences, options_.sequences_max);
        }
    }
}

std::vector<TokenId> reference_tokens(const Submission& submission) {
    FakeEngine engine(engine_limits({0, layer_count}, {}));
    ComputeJob job{.batch_id = 1};
    job.opens.push_back({submission.request, 1, submission.sampling, 4096,
                         static_cast<Position>(submission.prompt.size())});
    std::vector<TokenId> tokens = submission.prompt;
    for (Position at = 0; at + 1 < submission.prompt.size() + submission.max_tokens; ++at) {
        job.rows = {{submission.request, at, at + 1 >= submission.prompt.size()}};
        if (submission.sampling.needs_tokens()) job.rows[0].token = tokens[at];
        job.tokens = {tokens[at]};
        const ComputeResult result = engine.compute(job);
        if (!result.tokens.empty()) tokens.push_back(result.tokens[0].token);
        job.opens.clear();
    }
    tokens.erase(tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(submission.prompt.size()));
    return tokens;
}

Submission example_request(uint64_t number, size_t prompt_tokens, uint32_t max_tokens) {
    Random random{number};
    Submission submission{.request = request_id(number),
                          .max_tokens = max_tokens,
                          .sampling = {.temperature = 0.5F, .seed = number}};
    for (size_t i = 0; i < prompt_tokens; ++i) {
        submission.prompt.push_back(static_cast<TokenId>(random.below(1000)));
    }
    return submission;
}

}  // namespace teetee::pipeline::testing
