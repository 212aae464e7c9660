// SPDX-License-Identifier: Apache-2.0
#include "pipeline/fair_queue.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "pipeline/ring_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

RequestId request_of(uint64_t number) {
    RequestId out;
    for (size_t i = 0; i < 8; ++i) out.bytes[i] = static_cast<uint8_t>(number >> (8 * i));
    return out;
}

FairQueue::Tenant tenant_of(uint8_t number) {
    return Digest{number};
}

/// Takes all of them out, each of the same cost; numbers of the requests in that order.
std::vector<int> drain(FairQueue& queue, uint64_t cost) {
    std::vector<int> out;
    while (!queue.empty()) {
        out.push_back(queue.front().bytes[0]);
        queue.pop(cost);
    }
    return out;
}

TEST(fair_queue, tenants_take_turns_and_each_keeps_its_order) {
    FairQueue queue;
    for (uint64_t i = 1; i <= 4; ++i) queue.push(request_of(i), tenant_of(1));
    for (uint64_t i = 11; i <= 12; ++i) queue.push(request_of(i), tenant_of(2));
    queue.push(request_of(21), std::nullopt);
    queue.push(request_of(22), std::nullopt);
    EXPECT_EQ(queue.size(), 8u);
    EXPECT_EQ(queue.waiting_count(tenant_of(1)), 4u);
    EXPECT_EQ(queue.waiting_count(std::nullopt), 2u);
    EXPECT_EQ(drain(queue, 5), (std::vector{1, 11, 21, 2, 12, 22, 3, 4}));
}

TEST(fair_queue, who_has_had_a_turn_comes_first_and_pays_no_more) {
    FairQueue queue;
    queue.push(request_of(1), tenant_of(1));
    queue.push(request_of(2), tenant_of(2));
    queue.push_first(request_of(3));
    queue.push_first(request_of(4));
    EXPECT_EQ(queue.waiting_count(tenant_of(1)), 1u);
    EXPECT_EQ(queue.requests().size(), 4u);
    EXPECT_EQ(drain(queue, 5), (std::vector{4, 3, 1, 2}));
}

TEST(fair_queue, turns_are_by_cost_not_by_number) {
    FairQueue queue;
    for (uint64_t i = 1; i <= 3; ++i) queue.push(request_of(i), tenant_of(1));
    for (uint64_t i = 11; i <= 14; ++i) queue.push(request_of(i), tenant_of(2));
    std::vector<int> order;
    while (!queue.empty()) {
        const int number = queue.front().bytes[0];
        order.push_back(number);
        queue.pop(number < 10 ? 300 : 100);
    }
    EXPECT_EQ(order, (std::vector{1, 11, 12, 13, 2, 14, 3}));
}

TEST(fair_queue, what_is_erased_leaves_no_trace) {
    FairQueue queue;
    queue.push(request_of(1), tenant_of(1));
    queue.push(request_of(2), tenant_of(2));
    queue.push_first(request_of(3));
    for (uint64_t i = 1; i <= 3; ++i) queue.erase(request_of(i));
    queue.erase(request_of(4));
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.tenant_count(), 0u);
}

/// Small requests of ever new tenants do not overtake a large one for ever, nor the one after it.
TEST(fair_queue, newcomers_starve_nobody) {
    FairQueue queue;
    queue.push(request_of(1), tenant_of(1));
    queue.push(request_of(2), tenant_of(1));
    size_t served = 0;
    for (uint64_t i = 0; queue.waiting_count(tenant_of(1)) > 0; ++i) {
        ASSERT_LT(i, 1000u);
        Digest newcomer{};
        for (size_t at = 0; at < 8; ++at) newcomer[at + 1] = static_cast<uint8_t>(i >> (8 * at));
        queue.push(request_of(100 + i), newcomer);
        const bool is_large = queue.front() == request_of(1) || queue.front() == request_of(2);
        queue.pop(is_large ? 1000 : 10);
        served += is_large ? 0 : 1;
    }
    EXPECT_GE(served, 50u) << "newcomers have their turn as well";
}

/// Of a thousand tenants that come once, few are remembered.
TEST(fair_queue, remembers_no_tenant_for_long) {
    FairQueue queue;
    Random random{7};
    for (uint64_t i = 0; i < 5000; ++i) {
        Digest tenant{};
        tenant[0] = static_cast<uint8_t>(i);
        tenant[1] = static_cast<uint8_t>(i >> 8);
        queue.push(request_of(i), tenant);
        if (queue.size() > 16) queue.pop(1 + random.below(4000));
        ASSERT_LT(queue.tenant_count(), 200u);
    }
}

/// The bound that the class names, over requests of all sizes, tenants that come and go, and
/// requests that are cancelled.
TEST(fair_queue, service_of_tenants_that_wait_differs_by_two_requests_at_most) {
    constexpr size_t tenants = 3;
    constexpr int64_t cost_max = 500;
    for (uint64_t seed = 1; seed <= 50; ++seed) {
        FairQueue queue;
        Random random{seed};
        std::map<RequestId, size_t> owners;
        std::array<int64_t, tenants> served{};
        // Of each pair, the least and most that the first was ahead while both waited.
        struct Lead {
            int64_t least = 0;
            int64_t most = 0;
            bool is_there = false;
        };
        std::array<std::array<Lead, tenants>, tenants> leads{};
        for (uint64_t i = 0; i < 2000; ++i) {
            const size_t tenant = random.below(tenants);
            if (random.below(2) == 0 && queue.size() < 40) {
                queue.push(request_of(i), tenant_of(static_cast<uint8_t>(tenant)));
                owners[request_of(i)] = tenant;
            } else if (!queue.empty() && random.below(10) == 0) {
                queue.erase(queue.requests()[random.below(queue.size())]);
            } else if (!queue.empty()) {
                // Each tenant has its own mean.
                const size_t owner = owners.at(queue.front());
                const uint64_t cost = 1 + random.below(owner == 0 ? cost_max : 20 * owner);
                served[owner] += static_cast<int64_t>(cost);
                queue.pop(cost);
            }
            for (size_t a = 0; a < tenants; ++a) {
                for (size_t b = 0; b < a; ++b) {
                    Lead& lead = leads[a][b];
                    const int64_t ahead = served[a] - served[b];
                    const auto waits = [&](size_t which) {
                        return queue.waiting_count(tenant_of(static_cast<uint8_t>(which))) > 0;
                    };
                    if (!waits(a) || !waits(b))
                        lead = {};
                    else if (!lead.is_there)
                        lead = {ahead, ahead, true};
                    lead.least = std::min(lead.least, ahead);
                    lead.most = std::max(lead.most, ahead);
                    if (!lead.is_there) continue;
                    ASSERT_LE(lead.most - lead.least, 2 * cost_max) << "seed " << seed;
                }
            }
        }
    }
}

}  // namespace
}  // namespace teetee::pipeline::testing
