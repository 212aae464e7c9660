// SPDX-License-Identifier: Apache-2.0
#include "chain/rpc_panel.hpp"

#include <algorithm>
#include <functional>

#include "chain/rpc_calls.hpp"

namespace teetee::chain {
namespace {

template <class T>
Result<PanelValue> value_of(Result<T> parsed) {
    if (!parsed) return std::move(parsed).error();
    return PanelValue(std::move(*parsed));
}

template <class T>
Result<PanelValue> value_of(Result<std::optional<T>> parsed) {
    if (!parsed) return std::move(parsed).error();
    return *parsed ? PanelValue(std::move(**parsed)) : PanelValue();
}

Result<PanelValue> parse_value(RpcPanel::Question::Kind kind, const boost::json::value& result) {
    using Kind = RpcPanel::Question::Kind;
    switch (kind) {
        case Kind::block:
            return value_of(parse_rpc_block(result));
        case Kind::logs:
            return value_of(parse_rpc_logs(result));
        case Kind::receipt:
            return value_of(parse_rpc_receipt(result));
        case Kind::quantity:
            return value_of(parse_rpc_quantity(result));
        case Kind::fees:
            return value_of(parse_rpc_fee_history(result));
        case Kind::data:
            return value_of(parse_rpc_data(result));
    }
    return fail(ErrorCode::internal, "question: unknown kind");
}

// What another range, or another time, may mend; the endpoint itself is well.
bool is_refusal(const Error& error) {
    return error.code == ErrorCode::rpc_refused || error.code == ErrorCode::call_reverted ||
           error.code == ErrorCode::body_too_large || error.code == ErrorCode::limit_exceeded;
}

bool is_missing(const PanelValue& value) {
    return std::holds_alternative<std::monostate>(value);
}

Result<boost::json::value> result_of(Result<RpcAnswer> answer,
                                     std::span<const AbiError> known = {}) {
    if (!answer) return std::move(answer).error();
    return take_result(std::move(*answer), known);
}

// How many of the values are not the same; that something is not there yet is none.
size_t count_distinct(const std::map<size_t, PanelValue>& values) {
    std::vector<const PanelValue*> seen;
    for (const auto& entry : values) {
        const PanelValue& value = entry.second;
        const bool is_new =
            std::ranges::none_of(seen, [&](const PanelValue* other) { return *other == value; });
        if (is_new && !is_missing(value)) seen.push_back(&value);
    }
    return seen.size();
}

}  // namespace

RpcPanel::RpcPanel(const Options& options)
    : options_(options),
      quorum_(options.quorum == 0 ? options.endpoint_count / 2 + 1 : options.quorum),
      endpoints_(options.endpoint_count),
      statuses_(options.endpoint_count) {}

void RpcPanel::put(size_t endpoint, uint64_t question, RpcCall call, std::vector<RpcAsk>& asks) {
    asked_[next_id_] = {.endpoint = endpoint, .question = question};
    asks.push_back({.id = next_id_++, .endpoint = endpoint, .call = std::move(call)});
}

void RpcPanel::fail_endpoint(Instant now, size_t index, Error error) {
    Endpoint& endpoint = endpoints_[index];
    EndpointStatus& status = statuses_[index];
    status.state = error.code == ErrorCode::chain_mismatch ? EndpointState::wrong_chain
                                                           : EndpointState::failing;
    status.problem = std::move(error);
    status.head.reset();
    status.finalized.reset();
    endpoint.step = Step::done;
    // Who comes back may be another.
    endpoint.checked_at.reset();
    endpoint.backoff = std::clamp(2 * endpoint.backoff, options_.retry_min, options_.retry_max);
    endpoint.retry_at = now + endpoint.backoff;
}

void RpcPanel::forgive(Instant now, size_t index) {
    const auto& dissented_at = endpoints_[index].dissented_at;
    if (!dissented_at || now < *dissented_at + options_.chain_check_interval) return;
    endpoints_[index].dissented_at.reset();
    if (statuses_[index].state != EndpointState::disagreeing) return;
    statuses_[index].state = EndpointState::usable;
    statuses_[index].problem.reset();
}

void RpcPanel::begin_poll(Instant now, std::vector<RpcAsk>& asks) {
    poll_deadline_ = now + options_.answer_wait;
    for (size_t i = 0; i < endpoints_.size(); ++i) {
        Endpoint& endpoint = endpoints_[i];
        forgive(now, i);
        if (endpoint.retry_at > now || endpoint.step != Step::done) continue;
        const bool is_known =
            endpoint.checked_at && now < *endpoint.checked_at + options_.chain_check_interval;
        endpoint.step = is_known ? Step::head : Step::chain_id;
        put(i, 0, is_known ? call_block(BlockTag::latest()) : call_chain_id(), asks);
    }
}

bool RpcPanel::poll_done(Instant now) const {
    return now >= poll_deadline_ || std::ranges::all_of(endpoints_, [](const Endpoint& endpoint) {
               return endpoint.step == Step::done;
           });
}

void RpcPanel::on_poll_answer(Instant now, size_t index, Result<RpcAnswer> answer,
                              std::vector<RpcAsk>& asks) {
    if (endpoints_[index].step == Step::done) return;
    if (auto taken = take_poll_answer(now, index, std::move(answer), asks); !taken)
        fail_endpoint(now, index, std::move(taken).error());
}

Result<void> RpcPanel::take_poll_answer(Instant now, size_t index, Result<RpcAnswer> answer,
                                        std::vector<RpcAsk>& asks) {
    Endpoint& endpoint = endpoints_[index];
    EndpointStatus& status = statuses_[index];
    TT_TRY(const boost::json::value result, result_of(std::move(answer)));
    if (endpoint.step == Step::chain_id) {
        TT_TRY(const U256 id, parse_rpc_quantity(result));
        if (id != U256(options_.chain_id)) {
            return fail(ErrorCode::chain_mismatch, "chain id: have " + id.to_decimal() + ", need " +
                                                       std::to_string(options_.chain_id));
        }
        endpoint.checked_at = now;
        endpoint.step = Step::head;
        put(index, 0, call_block(BlockTag::latest()), asks);
        return {};
    }
    TT_TRY(const std::optional<BlockHeader> block, parse_rpc_block(result));
    if (endpoint.step == Step::head) {
        if (!block) return fail(ErrorCode::rpc_malformed, "no latest block");
        status.head = block;
        endpoint.step = options_.use_finalized ? Step::finalized : Step::done;
        if (options_.use_finalized) put(index, 0, call_block(BlockTag::finalized()), asks);
    } else {
        status.finalized = block ? std::optional(block->number) : std::nullopt;
        endpoint.step = Step::done;
    }
    if (endpoint.step != Step::done) return {};
    endpoint.backoff = {};
    if (status.state != EndpointState::disagreeing) {
        status.state = EndpointState::usable;
        status.problem.reset();
    }
    return {};
}

std::optional<uint64_t> RpcPanel::quorum_of(std::vector<uint64_t> numbers) const {
    if (numbers.size() < quorum_) return std::nullopt;
    std::ranges::sort(numbers, std::greater());
    return numbers[quorum_ - 1];
}

std::optional<uint64_t> RpcPanel::quorum_head() const {
    std::vector<uint64_t> numbers;
    for (const EndpointStatus& status : statuses_) {
        if (status.head) numbers.push_back(status.head->number);
    }
    return quorum_of(std::move(numbers));
}

std::optional<uint64_t> RpcPanel::quorum_finalized() const {
    std::vector<uint64_t> numbers;
    for (const EndpointStatus& status : statuses_) {
        if (status.finalized) numbers.push_back(*status.finalized);
    }
    return quorum_of(std::move(numbers));
}

Error RpcPanel::no_quorum() const {
    Error out = fail(ErrorCode::rpc_unavailable, "");
    size_t answering = 0;
    for (size_t i = 0; i < statuses_.size(); ++i) {
        answering += statuses_[i].head ? 1 : 0;
        if (!statuses_[i].problem) continue;
        // That an endpoint is of another chain is a fault of configuration, and worth more words.
        if (statuses_[i].state == EndpointState::wrong_chain) out.code = ErrorCode::chain_mismatch;
        out.detail +=
            "; endpoint " + std::to_string(i + 1) + ": " + statuses_[i].problem->message();
    }
    out.detail.insert(0, "have " + std::to_string(answering) + " of " +
                             std::to_string(statuses_.size()) + " endpoints, need " +
                             std::to_string(quorum_));
    return out;
}

uint64_t RpcPanel::ask(Instant now, Question question, std::vector<RpcAsk>& asks) {
    const uint64_t number = next_question_++;
    Open& open = questions_[number];
    open.deadline = now + options_.answer_wait;
    for (size_t i = 0; i < statuses_.size(); ++i) {
        const auto& head = statuses_[i].head;
        if (!head || head->number < question.needs_block || endpoints_[i].retry_at > now) continue;
        put(i, number, question.call, asks);
        ++open.waiting;
    }
    open.question = std::move(question);
    judge(now, open);
    return number;
}

const Result<PanelValue>* RpcPanel::verdict(uint64_t question) const {
    const auto found = questions_.find(question);
    TT_ASSERT(found != questions_.end());
    return found->second.verdict ? &*found->second.verdict : nullptr;
}

void RpcPanel::forget_questions() {
    for (auto& [number, open] : questions_) open.forgotten = true;
    drop_forgotten();
}

void RpcPanel::forget_calls() {
    asked_.clear();
    questions_.clear();
    for (Endpoint& endpoint : endpoints_) endpoint.step = Step::done;
}

void RpcPanel::drop_forgotten() {
    // Who answers late is compared all the same.
    std::erase_if(questions_, [](const auto& entry) {
        const Open& open = entry.second;
        return open.forgotten && (!open.verdict || open.waiting == 0);
    });
}

void RpcPanel::on_answer(Instant now, uint64_t id, Result<RpcAnswer> answer,
                         std::vector<RpcAsk>& asks) {
    const auto found = asked_.find(id);
    if (found == asked_.end()) return;
    const Asked asked = found->second;
    asked_.erase(found);
    if (asked.question == 0) return on_poll_answer(now, asked.endpoint, std::move(answer), asks);
    const auto open = questions_.find(asked.question);
    if (open == questions_.end()) return;
    on_value(now, asked.endpoint, open->second, std::move(answer));
    drop_forgotten();
}

void RpcPanel::on_value(Instant now, size_t endpoint, Open& open, Result<RpcAnswer> answer) {
    if (open.waiting > 0) --open.waiting;
    auto result = result_of(std::move(answer), options_.errors);
    auto value = result ? parse_value(open.question.kind, *result)
                        : Result<PanelValue>(std::move(result).error());
    if (value) {
        open.values.insert_or_assign(endpoint, std::move(*value));
    } else if (is_refusal(value.error())) {
        const bool is_revert = value.error().code == ErrorCode::call_reverted;
        if (!open.refusal || (is_revert && open.reverts == 0))
            open.refusal = std::move(value).error();
        if (is_revert) ++open.reverts;
    } else {
        fail_endpoint(now, endpoint, std::move(value).error());
    }
    judge(now, open);
}

std::optional<PanelValue> RpcPanel::agreed(const Open& open) const {
    using Rule = Question::Rule;
    if (open.question.rule == Rule::first) {
        return open.values.empty() ? std::nullopt : std::optional(open.values.begin()->second);
    }
    if (open.question.rule == Rule::highest) {
        if (open.waiting > 0 || open.values.size() < quorum_) return std::nullopt;
        std::vector<U256> numbers;
        for (const auto& [endpoint, value] : open.values) numbers.push_back(std::get<U256>(value));
        std::ranges::sort(numbers, std::greater());
        return numbers[quorum_ - 1];
    }
    for (const auto& entry : open.values) {
        const PanelValue& value = entry.second;
        const auto count = std::ranges::count_if(
            open.values, [&](const auto& other) { return other.second == value; });
        if (static_cast<size_t>(count) >= quorum_) return value;
    }
    return std::nullopt;
}

Error RpcPanel::no_verdict(const Open& open) const {
    const std::string have = "have " + std::to_string(open.values.size()) + " answers to " +
                             open.question.call.method + ", need " + std::to_string(quorum_);
    if (open.question.rule == Question::Rule::equal && count_distinct(open.values) > 1)
        return fail(ErrorCode::rpc_disagreement, have + " that agree");
    if (!open.refusal) return fail(ErrorCode::rpc_unavailable, have);
    // One of many may be wrong, or lie, while the others are not heard of.
    if (open.refusal->code == ErrorCode::call_reverted && open.reverts >= quorum_)
        return *open.refusal;
    return fail(ErrorCode::rpc_refused, have + ": " + open.refusal->message());
}

void RpcPanel::judge(Instant now, Open& open) {
    if (!open.verdict) {
        if (auto value = agreed(open)) {
            open.verdict = std::move(*value);
        } else if (open.waiting == 0) {
            open.verdict = no_verdict(open);
        }
    }
    const bool is_compared = open.question.rule == Question::Rule::equal;
    if (open.verdict && is_compared) note_dissent(now, open);
}

void RpcPanel::note_dissent(Instant now, const Open& open) {
    if (!*open.verdict) return;
    for (const auto& [endpoint, value] : open.values) {
        // An endpoint that has not come so far is behind, no liar.
        if (is_missing(value) || value == open.verdict->value()) continue;
        endpoints_[endpoint].dissented_at = now;
        statuses_[endpoint].state = EndpointState::disagreeing;
        statuses_[endpoint].problem =
            fail(ErrorCode::rpc_disagreement,
                 open.question.call.method + ": another answer than the others'");
    }
}

void RpcPanel::on_time(Instant now) {
    const auto late = [&](size_t endpoint) {
        fail_endpoint(now, endpoint, fail(ErrorCode::rpc_unavailable, "no answer in time"));
    };
    if (now >= poll_deadline_) {
        for (size_t i = 0; i < endpoints_.size(); ++i) {
            if (endpoints_[i].step != Step::done) late(i);
        }
    }
    for (auto asked = asked_.begin(); asked != asked_.end();) {
        const auto open = questions_.find(asked->second.question);
        const bool is_late = open != questions_.end() && now >= open->second.deadline;
        if (is_late && !open->second.verdict) late(asked->second.endpoint);
        asked = is_late ? asked_.erase(asked) : std::next(asked);
    }
    for (auto& [number, open] : questions_) {
        if (now < open.deadline) continue;
        open.waiting = 0;
        judge(now, open);
    }
    drop_forgotten();
}

std::optional<Instant> RpcPanel::deadline() const {
    std::optional<Instant> out;
    const auto sooner = [&](Instant at) { out = out ? std::min(*out, at) : at; };
    for (const Endpoint& endpoint : endpoints_) {
        if (endpoint.step != Step::done) sooner(poll_deadline_);
    }
    for (const auto& [number, open] : questions_) {
        if (!open.verdict) sooner(open.deadline);
    }
    return out;
}

}  // namespace teetee::chain
