// SPDX-License-Identifier: Apache-2.0
#include "sim/clients.hpp"

#include <iterator>

namespace teetee::sim {
namespace {

constexpr uint32_t tenants = 2;
constexpr uint64_t vocabulary = 1000;

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
      current_(scenario.clients) {
    for (uint32_t i = 0; i < scenario.clients; ++i)
        world_.at(std::chrono::milliseconds(500 + 10 * i), [this, i] { look(i); });
}

/// A client sees within moments that its answer is over, and thinks a little before the next.
void Clients::look(uint32_t client) {
    if (asked_ == scenario_.requests) return;
    if (!answers_.open().contains(current_[client])) ask(client);
    world_.at(world_.now() + std::chrono::milliseconds(random_.up_to(400)),
              [this, client] { look(client); });
}

bool Clients::ask(uint32_t client) {
    const auto entry = static_cast<uint32_t>(random_.below(scenario_.entries));
    const pipeline::Submission submission = next_submission();
    current_[client] = submission.request;
    answers_.begin(entry, submission);
    if (world_.submit(entry, submission)) {
        ++asked_;
        return true;
    }
    answers_.forget(submission.request);
    return false;
}

pipeline::Submission Clients::next_submission() {
    pipeline::Submission out;
    ByteWriter id;
    id.u64(random_.next());
    id.u64(random_.next());
    std::copy_n(id.view().begin(), out.request.bytes.size(), out.request.bytes.begin());
    const size_t prompt = random_.up_to(scenario_.prompt_tokens_max);
    if (random_.below(2) == 0) {
        const uint64_t tenant = random_.up_to(tenants);
        out.tenant = Digest{static_cast<uint8_t>(tenant)};
        out.prompt = shared_beginning(tenant, random_.below(prompt + 1));
    }
    while (out.prompt.size() < prompt)
        out.prompt.push_back(static_cast<TokenId>(random_.below(vocabulary)));
    out.max_tokens = static_cast<uint32_t>(random_.up_to(scenario_.answer_tokens_max));
    out.sampling.seed = random_.next();
    return out;
}

void Clients::cancel_any(Random& random) {
    if (answers_.open().empty()) return;
    const auto which = static_cast<ptrdiff_t>(random.below(answers_.open().size()));
    const auto& [request, open] = *std::next(answers_.open().begin(), which);
    const RequestId id = request;
    if (world_.cancel(open.entry, id)) answers_.on_cancelled(id);
}

}  // namespace teetee::sim
