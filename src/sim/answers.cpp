// SPDX-License-Identifier: Apache-2.0
#include "sim/answers.hpp"

#include <string>

namespace teetee::sim {
namespace {

std::string name(const RequestId& request) {
    return "request " + to_hex(ByteView(request.bytes).first(4));
}

}  // namespace

void AnswerChecker::begin(uint32_t entry, const pipeline::Submission& submission,
                          Beginning beginning) {
    Open& open = open_[submission.request];
    open.answer.entry = entry;
    open.answer.submission = submission;
    open.reference = reference_answer(beginning.whole, world_.limits(0));
    const auto known = static_cast<std::ptrdiff_t>(beginning.tokens.size());
    open.reference.erase(open.reference.begin(), open.reference.begin() + known);
    open.beginning = std::move(beginning);
}

void AnswerChecker::on_event(uint32_t entry, const pipeline::ClientEvent& event) {
    if (const auto* token = std::get_if<pipeline::ClientToken>(&event)) {
        on_token(*token);
    } else if (const auto* done = std::get_if<pipeline::ClientDone>(&event)) {
        on_done(*done);
    } else if (const auto* failed = std::get_if<pipeline::ClientFailed>(&event)) {
        on_failed(entry, *failed);
    } else if (const auto* records = std::get_if<pipeline::ClientRecords>(&event)) {
        on_records(entry, *records);
    } else {
        const auto& quotes = std::get<pipeline::ClientQuotes>(event);
        const auto finding = receipts_.on_quotes(entry, quotes);
        counts_.fresh_quotes += finding.problem ? 0 : 1;
        if (finding.problem && !finding.is_evidence)
            world_.report("records", name(quotes.request) + ": " + *finding.problem);
    }
}

void AnswerChecker::on_token(const pipeline::ClientToken& token) {
    const auto found = open_.find(token.request);
    if (found == open_.end()) return world_.report("end", name(token.request) + ": a late token");
    Open& open = found->second;
    const size_t index = open.answer.tokens.size();
    open.answer.tokens.push_back(token.token);
    ++counts_.tokens;
    if (token.index != index) {
        return world_.report("tokens", name(token.request) + ": have index " +
                                           std::to_string(token.index) + ", need " +
                                           std::to_string(index));
    }
    const bool is_there = index < open.reference.size();
    const bool is_right = is_there && open.reference[index].token == token.token;
    // Nobody signs log-probabilities: an answer is not false because of them.
    if (!is_right) open.answer.is_wrong = true;
    if (is_right && open.reference[index].logprobs == token.logprobs) return;
    if (may_be_wrong(token.request)) return;
    world_.report("tokens",
                  name(token.request) + ": another token at index " + std::to_string(index));
}

void AnswerChecker::on_done(const pipeline::ClientDone& done) {
    const auto found = open_.find(done.request);
    if (found == open_.end()) return world_.report("end", name(done.request) + ": ended twice");
    Answer& answer = found->second.answer;
    answer.reason = done.reason;
    if (answer.tokens.size() != found->second.reference.size()) {
        answer.is_wrong = true;
        if (!may_be_wrong(done.request))
            world_.report("tokens", name(done.request) + ": done before all tokens came");
    }
    ++counts_.done;
    counts_.wrong += answer.is_wrong ? 1 : 0;
    unsigned_[done.request] = answer;
    end(found, done.usage);
}

void AnswerChecker::on_failed(uint32_t entry, const pipeline::ClientFailed& failed) {
    const auto found = open_.find(failed.request);
    if (found == open_.end()) return world_.report("end", name(failed.request) + ": ended twice");
    ++counts_.failed;
    const Duration unready = world_.now() - world_.nodes()[entry].ready_last;
    const auto& deadline = found->second.answer.submission.deadline;
    const bool is_overdue = deadline && *deadline <= world_.now();
    if (failed.error.code == ErrorCode::deadline_exceeded) {
        ++counts_.overdue;
        if (!is_overdue)
            world_.report("deadline", name(failed.request) + ": ended before its time was over");
    }
    const bool is_excused =
        !options_.frames_are_honest || may_be_wrong(failed.request) || is_overdue;
    if (!is_excused && unready < reroute_timeout) {
        world_.report("failure", name(failed.request) + ": " + failed.error.message() +
                                     ", and a route was ready " +
                                     std::to_string(unready.count() / 1'000'000) + " ms ago");
    }
    leave_unfinished(found->second);
    if (failed.usage.completion_tokens > 0) {
        // No end of its own, as with one that was cancelled.
        found->second.answer.is_cancelled = true;
        unsigned_[failed.request] = found->second.answer;
    }
    end(found, failed.usage);
}

void AnswerChecker::end(std::map<RequestId, Open>::iterator request, const pipeline::Usage& usage) {
    const size_t delivered = request->second.answer.tokens.size();
    if (usage.completion_tokens != delivered) {
        world_.report("usage", name(request->first) + ": billed " +
                                   std::to_string(usage.completion_tokens) + ", delivered " +
                                   std::to_string(delivered));
    }
    open_.erase(request);
}

/// An answer that is wrong already is not gone on with.
void AnswerChecker::leave_unfinished(const Open& open) {
    if (open.answer.is_wrong) return;
    Beginning beginning = open.beginning;
    beginning.tokens.insert(beginning.tokens.end(), open.answer.tokens.begin(),
                            open.answer.tokens.end());
    unfinished_[open.answer.submission.request] = std::move(beginning);
}

std::optional<AnswerChecker::Beginning> AnswerChecker::take_unfinished(const RequestId& request) {
    auto found = unfinished_.extract(request);
    if (found.empty()) return {};
    return std::move(found.mapped());
}

void AnswerChecker::on_records(uint32_t entry, const pipeline::ClientRecords& records) {
    const RequestId& request = records.request;
    if (!signed_.insert(request).second)
        return world_.report("records", name(request) + ": signed twice");
    // Those of a cancelled one may come before the cancelling is over.
    auto ended = unsigned_.extract(request);
    const auto open = open_.find(request);
    if (ended.empty() && open == open_.end())
        return world_.report("records", name(request) + ": not of an answer");
    const Answer& answer = ended.empty() ? open->second.answer : ended.mapped();
    if (records.failure) {
        ++counts_.without_receipt;
        return;
    }
    ++counts_.receipts;
    const auto finding = receipts_.check(entry, answer, records);
    const bool is_lie = may_be_wrong(request);
    const bool is_excused = is_lie || !options_.frames_are_honest ||
                            (finding.is_evidence && !options_.evidence_is_good);
    if (finding.problem && !is_excused)
        world_.report("records", name(request) + ": " + *finding.problem);
    const bool is_proof = finding.problem || finding.liar;
    if (answer.is_wrong && !is_proof)
        world_.report("records", name(request) + ": a false receipt that nothing gives away");
    counts_.found_out += answer.is_wrong && finding.liar ? 1 : 0;
    const bool is_clear = records.input.begin == 0;
    if (finding.liar && (!is_lie || (is_clear && !world_.lies().nodes.contains(*finding.liar))))
        world_.report("records", name(request) + ": an honest stage is found out");
}

void AnswerChecker::on_cancelled(const RequestId& request) {
    const auto found = open_.find(request);
    if (found == open_.end()) return;
    found->second.answer.is_cancelled = true;
    if (!found->second.answer.tokens.empty() && !signed_.contains(request))
        unsigned_[request] = found->second.answer;
    open_.erase(found);
}

void AnswerChecker::on_death(uint32_t entry) {
    for (auto at = open_.begin(); at != open_.end();) {
        const auto found = at++;
        if (found->second.answer.entry != entry) continue;
        leave_unfinished(found->second);
        open_.erase(found);
    }
    std::erase_if(unsigned_, [&](const auto& one) { return one.second.entry == entry; });
}

void AnswerChecker::check_all_ended() {
    if (open_.empty()) return;
    const auto& [request, state] = *open_.begin();
    world_.report("liveness", name(request) + ": has " +
                                  std::to_string(state.answer.tokens.size()) + " of " +
                                  std::to_string(state.reference.size()) + " tokens, on node " +
                                  std::to_string(state.answer.entry) + "; " +
                                  std::to_string(open_.size()) + " requests hang");
}

void AnswerChecker::check_all_signed() {
    if (unsigned_.empty()) return;
    world_.report("records", name(unsigned_.begin()->first) + ": neither records nor why not");
}

}  // namespace teetee::sim
