// SPDX-License-Identifier: Apache-2.0
#include "sim/clients.hpp"

#include <algorithm>
#include <iterator>

namespace teetee::sim {
namespace {

constexpr uint64_t stop_tokens_most = 40;
constexpr uint64_t deadline_most_ms = 3000;

std::vector<TokenId> shared_beginning(uint64_t tenant, size_t count) {
    Random random(tenant);
    std::vector<TokenId> out;
    while (out.size() < count) out.push_back(static_cast<TokenId>(random.below(vocabulary)));
    return out;
}

}  // namespace

Clients::Clients(World& world, AnswerChecker& answers, const Scenario& scenario, uint64_t seed)
    : world_(world),
      answers_(answers),
      scenario_(scenario),
      random_(mix(seed, 2)),
      clients_(scenario.clients) {
    for (uint32_t i = 0; i < scenario.clients; ++i)
        world_.at(std::chrono::milliseconds(500 + 10 * i), [this, i] { look(i); });
}

/// A client sees within moments that its answer is over, and thinks a little before the next.
void Clients::look(uint32_t index) {
    Client& client = clients_[index];
    if (!answers_.open().contains(client.request)) {
        if (auto beginning = answers_.take_unfinished(client.request))
            client.unfinished = std::move(beginning);
        if (client.unfinished)
            resume(client);
        else if (asked_ < scenario_.requests)
            ask(client);
    }
    world_.at(world_.now() + std::chrono::milliseconds(random_.up_to(400)),
              [this, index] { look(index); });
}

void Clients::ask(Client& client) {
    const pipeline::Submission submission = next_submission();
    if (!submit(submission, {.whole = submission})) return;
    client.request = submission.request;
    ++asked_;
}

void Clients::resume(Client& client) {
    const AnswerChecker::Beginning& beginning = *client.unfinished;
    pipeline::Submission submission = beginning.whole;
    const auto known = static_cast<uint32_t>(beginning.tokens.size());
    // All is there but the last word.
    if (known == submission.max_tokens) {
        client.unfinished.reset();
        return;
    }
    submission.request = next_id();
    submission.deadline.reset();
    submission.max_tokens -= known;
    submission.sampling.answer_given = known;
    submission.prompt.insert(submission.prompt.end(), beginning.tokens.begin(),
                             beginning.tokens.end());
    submission.salt[0] ^= 1;
    if (!submit(submission, beginning)) return;
    client.request = submission.request;
    client.unfinished.reset();
    ++resumed_;
}

bool Clients::submit(const pipeline::Submission& submission, AnswerChecker::Beginning beginning) {
    const auto entry = static_cast<uint32_t>(random_.below(scenario_.entries));
    answers_.begin(entry, submission, std::move(beginning));
    if (world_.submit(entry, submission)) return true;
    answers_.forget(submission.request);
    return false;
}

RequestId Clients::next_id() {
    ByteWriter bytes;
    bytes.u64(random_.next());
    bytes.u64(random_.next());
    RequestId out;
    std::copy_n(bytes.view().begin(), out.bytes.size(), out.bytes.begin());
    return out;
}

/// Every third request has options beyond the seed.
SamplingOptions Clients::next_sampling() {
    SamplingOptions out;
    out.seed = random_.next();
    if (random_.below(3) != 0) return out;
    out.temperature = 0.5F * static_cast<float>(random_.below(4));
    out.top_k = static_cast<uint32_t>(random_.below(50));
    if (random_.below(2) == 0) out.repetition_penalty = 1.25F;
    if (random_.below(4) == 0) out.constraint.kind = ConstraintKind::json_object;
    if (random_.below(2) == 0)
        out.logit_bias = {{.token = static_cast<TokenId>(random_.below(vocabulary)), .bias = 2.0F}};
    out.logprobs = random_.below(2) == 0;
    if (out.logprobs) out.top_logprobs = static_cast<uint32_t>(random_.below(4));
    return out;
}

pipeline::Submission Clients::next_submission() {
    pipeline::Submission out;
    out.request = next_id();
    const size_t prompt = random_.up_to(scenario_.prompt_tokens_max);
    if (random_.below(2) == 0) {
        const uint64_t tenant = random_.up_to(scenario_.tenants);
        out.tenant = Digest{static_cast<uint8_t>(tenant)};
        out.prompt = shared_beginning(tenant, random_.below(prompt + 1));
    }
    while (out.prompt.size() < prompt)
        out.prompt.push_back(static_cast<TokenId>(random_.below(vocabulary)));
    out.max_tokens = static_cast<uint32_t>(random_.up_to(scenario_.answer_tokens_max));
    out.sampling = next_sampling();
    const uint64_t stops = random_.below(stop_tokens_most);
    for (uint64_t i = 0; i < stops; ++i)
        // Most of them never come.
        out.stop_tokens.push_back(static_cast<TokenId>(random_.below(32 * vocabulary)));
    std::ranges::copy(next_id().bytes, out.salt.begin());
    if (scenario_.deadlines > 0 && random_.below(100) < scenario_.deadlines)
        out.deadline = world_.now() + std::chrono::milliseconds(random_.up_to(deadline_most_ms));
    return out;
}

void Clients::cancel_any(Random& random) {
    if (answers_.open().empty()) return;
    const auto which = static_cast<ptrdiff_t>(random.below(answers_.open().size()));
    const auto open = std::next(answers_.open().begin(), which);
    const RequestId id = open->first;
    if (world_.cancel(open->second.answer.entry, id)) answers_.on_cancelled(id);
}

}  // namespace teetee::sim
