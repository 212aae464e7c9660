// SPDX-License-Identifier: Apache-2.0
#include "sim/fairness.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace teetee::sim {

void FairnessChecker::on_step(uint32_t index) {
    const Node& node = world_.nodes()[index];
    if (!node.entry) return;
    Account& account = accounts_[index];
    if (account.life != node.life) account = {.life = node.life};
    std::map<RequestId, Waiting> waiting;
    for (const RequestId& request : node.entry->queue().waiting()) {
        const auto open = answers_.open().find(request);
        if (open == answers_.open().end()) continue;
        const pipeline::Submission& submission = open->second.answer.submission;
        const auto positions =
            static_cast<int64_t>(submission.prompt.size() + submission.max_tokens);
        waiting[request] = {submission.tenant, positions};
        account.largest = std::max(account.largest, positions);
    }
    for (const auto& [request, had] : account.waiting) {
        if (!waiting.contains(request) && node.entry->is_active(request))
            account.served[had.tenant] += had.positions;
    }
    account.waiting = std::move(waiting);
    compare(index, account);
}

void FairnessChecker::compare(uint32_t node, Account& account) {
    std::set<Tenant> tenants;
    for (const auto& [request, waits] : account.waiting) tenants.insert(waits.tenant);
    contended_steps_ += tenants.size() > 1 ? 1 : 0;
    std::map<std::pair<Tenant, Tenant>, Lead> leads;
    for (auto one = tenants.begin(); one != tenants.end(); ++one) {
        for (auto other = std::next(one); other != tenants.end(); ++other) {
            const int64_t ahead = account.served[*one] - account.served[*other];
            const auto before = account.leads.find({*one, *other});
            Lead lead = before == account.leads.end() ? Lead{ahead, ahead} : before->second;
            lead = {std::min(lead.least, ahead), std::max(lead.most, ahead)};
            leads[{*one, *other}] = lead;
            if (lead.most - lead.least <= 2 * account.largest) continue;
            world_.report("fairness", "node " + std::to_string(node) +
                                          ": of two tenants that wait, one was served " +
                                          std::to_string(lead.most - lead.least) +
                                          " positions more, at most " +
                                          std::to_string(2 * account.largest));
        }
    }
    account.leads = std::move(leads);
}

}  // namespace teetee::sim
