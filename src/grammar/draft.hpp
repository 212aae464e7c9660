// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "grammar/rules.hpp"

namespace teetee::grammar {

/// The automaton while it is built: states with lists of edges, made from expressions by Thompson's
/// construction.
class Draft {
  public:
    struct Edge {
        enum class Kind : uint8_t { byte, jump, call };
        Kind kind{};
        uint8_t first = 0;  // byte
        uint8_t last = 0;
        uint32_t rule = 0;  // call
        uint32_t target = 0;
    };
    struct Part {
        uint32_t start = 0;
        uint32_t end = 0;
        std::string name;
    };

    /// Error: grammar_invalid for a rule without definition, grammar_too_complex.
    static Result<Draft> build(const Rules& rules);

    std::vector<std::vector<Edge>>& states() { return states_; }
    const std::vector<std::vector<Edge>>& states() const { return states_; }
    /// One for each rule, then those that were made on the way.
    const std::vector<Part>& parts() const { return parts_; }

  private:
    explicit Draft(const Rules& rules) : rules_(rules) {}

    uint32_t add_state();
    uint32_t add_part(const std::string& name);
    void add_edge(uint32_t from, Edge edge);
    void join(uint32_t from, uint32_t to);
    // Each returns the state where the expression, begun in `from`, has ended.
    uint32_t put(ExpressionId id, uint32_t from);
    uint32_t put_call(uint32_t rule, uint32_t from);
    uint32_t put_text(const std::string& text, uint32_t from);
    uint32_t put_characters(const CodePointSet& set, uint32_t from);
    uint32_t put_choice(const std::vector<ExpressionId>& parts, uint32_t from);
    /// As good in place as a call of it.
    static bool is_cheap(const Expression& e);
    uint32_t put_repeat(const Expression& repeat, uint32_t from);
    void put_blocks(const CodePointSet& set, uint32_t from, uint32_t to);

    const Rules& rules_;
    std::vector<std::vector<Edge>> states_;
    std::vector<Part> parts_;
    std::map<CodePointSet, uint32_t> part_of_set_;
    std::map<ExpressionId, uint32_t> part_of_repeated_;
    size_t edge_count_ = 0;
    size_t ranges_visited_ = 0;
    bool is_full_ = false;
};

}  // namespace teetee::grammar
