// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/request.hpp"

namespace teetee::pipeline {

/// Requests that wait for service of some cost, in turns by tenant and in order of arrival within
/// one. Those without a tenant are one tenant together.
///
/// Start-time fair queueing (Goyal, Vin, Cheng 1996): the next is the first request of the tenant
/// with the least tag, of equal ones the one that came first, and what it is served is added to the
/// tag. A tenant that begins to wait has its old tag or, if that is less, the clock, which goes on
/// as if all that wait were served at once.
///
/// While two tenants wait, what they are served differs by at most twice the largest cost of all.
/// Who is next stays so until it is taken, and the clock passes every tag: nobody is overtaken for
/// ever, whatever newcomers there are.
class FairQueue {
  public:
    using Tenant = std::optional<Digest>;

    /// Behind its tenant's others. MUST NOT be in the queue.
    void push(const RequestId& request, const Tenant& tenant);
    /// Before all others, and at no cost: it has had its turn.
    void push_first(const RequestId& request) { returned_.push_front(request); }
    /// Of a queue that is not empty.
    const RequestId& front() const;
    /// Takes the first one out, which is served this much.
    void pop(uint64_t cost);
    void erase(const RequestId& request);

    bool empty() const { return size_ + returned_.size() == 0; }
    size_t size() const { return size_ + returned_.size(); }
    /// Without those that have had their turn.
    size_t waiting_count() const { return size_; }
    size_t waiting_count(const Tenant& tenant) const;
    /// In no order of service; with those that have had their turn, and without.
    std::vector<RequestId> requests() const;
    std::vector<RequestId> waiting() const;
    /// Whose place is kept, waiting or not.
    size_t tenant_count() const { return lines_.size(); }

  private:
    struct Waiting {
        uint64_t arrival = 0;
        RequestId request{};
    };
    struct Line {
        std::deque<Waiting> waiting{};
        /// What the tenant has been served, counted from the clock's beginning.
        uint64_t tag = 0;
    };
    using Lines = std::map<Tenant, Line>;

    Lines::const_iterator next() const;
    void forget_idle();

    std::deque<RequestId> returned_;
    /// Of those that wait, and of others as long as their tag is ahead of the clock.
    Lines lines_;
    size_t size_ = 0;
    uint64_t clock_ = 0;
    uint64_t next_arrival_ = 0;
};

}  // namespace teetee::pipeline
