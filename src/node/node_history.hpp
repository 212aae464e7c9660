// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "base/request.hpp"
#include "base/world.hpp"
#include "wire/message.hpp"

namespace teetee::node {

/// What an entry has seen of the nodes of its model in the last day, in spans of five minutes: how
/// often it looked, how often the node answered, and how many tokens it computed for this entry's
/// clients. Pure; times are Unix seconds, and one that is before an earlier one counts as that one.
class NodeHistory {
  public:
    /// Of a span; a multiple of it is where each begins.
    static constexpr UnixSeconds span_s = 300;
    static constexpr size_t spans_max = 288;

    struct Options {
        /// Whoever is new takes the place of the one that has been silent longest, if it has been
        /// for a whole span.
        size_t nodes_max = 256;
    };
    struct Span {
        uint32_t probes = 0;
        uint32_t answered = 0;
        uint64_t tokens = 0;
        bool operator==(const Span&) const = default;
    };
    /// Of one node, in one look.
    struct Seen {
        LayerRange layers{};
        bool has_answered = false;
    };
    struct Record {
        LayerRange layers{};
        UnixSeconds answered_at = 0;
        /// Of the last span.
        UnixSeconds last_from = 0;
        std::deque<Span> spans{};
    };
    /// Spans one behind the other, the last one being under way.
    struct Extract {
        /// Where the first one begins.
        UnixSeconds from = 0;
        std::vector<Span> spans{};
    };

    NodeHistory() : NodeHistory(Options{}) {}
    explicit NodeHistory(Options options) : options_(options) {}

    /// A look at all nodes: those that are known from earlier looks and missing here have not
    /// answered. Who has not for a day is forgotten.
    void on_look(UnixSeconds now, const std::map<wire::NodeId, Seen>& seen);
    /// That a node has computed; of nodes that were never seen they are not counted.
    void on_tokens(UnixSeconds now, const wire::NodeId& node, uint64_t tokens);

    const std::map<wire::NodeId, Record>& nodes() const { return nodes_; }
    /// At most so many spans, up to now; none of a node that was never seen.
    Extract extract(const wire::NodeId& node, UnixSeconds now, size_t spans) const;

  private:
    static void advance(Record& record, UnixSeconds now);
    /// Null: it is missing.
    static void count(Record& record, UnixSeconds now, const Seen* sight);
    bool make_room(UnixSeconds now);

    Options options_;
    std::map<wire::NodeId, Record> nodes_;
};

}  // namespace teetee::node
