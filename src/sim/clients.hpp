// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "sim/answers.hpp"

namespace teetee::sim {

/// Clients that ask for one answer after the other, from any entry that takes the request, and go
/// on with an answer at another one when its entry dies or gives up: with the prompt and the tokens
/// that they have as the new prompt. Half of the prompts begin as others of their tenant do, so
/// that pages are found again.
class Clients {
  public:
    Clients(World& world, AnswerChecker& answers, const Scenario& scenario, uint64_t seed);

    /// Cancels one of the open requests, if there is any.
    void cancel_any(Random& random);
    uint64_t resumed_count() const { return resumed_; }

  private:
    struct Client {
        RequestId request{};
        std::optional<AnswerChecker::Beginning> unfinished{};
    };

    void look(uint32_t client);
    void ask(Client& client);
    void resume(Client& client);
    bool submit(const pipeline::Submission& submission, AnswerChecker::Beginning beginning);
    RequestId next_id();
    SamplingOptions next_sampling();
    pipeline::Submission next_submission();

    World& world_;
    AnswerChecker& answers_;
    Scenario scenario_;
    Random random_;
    std::vector<Client> clients_;
    uint64_t asked_ = 0;
    uint64_t resumed_ = 0;
};

}  // namespace teetee::sim
