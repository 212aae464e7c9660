// SPDX-License-Identifier: Apache-2.0
#include "grammar/matcher.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "grammar/limits.hpp"

namespace teetee::grammar {
namespace {

/// Stands in a set for "the text may end here".
constexpr uint32_t whole_text = UINT32_MAX;

Error complex(std::string_view what) {
    return fail(ErrorCode::grammar_too_complex, "grammar: " + std::string(what));
}

}  // namespace

Matcher::Matcher(std::shared_ptr<const Grammar> grammar)
    : grammar_(std::move(grammar)), class_count_(grammar_->class_count()) {
    reset();
}

Result<Matcher> Matcher::begin(std::shared_ptr<const Grammar> grammar) {
    Matcher matcher(std::move(grammar));
    matcher.current_ = matcher.close({{matcher.grammar_->start(), no_stack}});
    if (matcher.current_ >= cache_full) return complex("a text can begin in too many ways");
    return matcher;
}

void Matcher::reset() {
    set_numbers_.clear();
    sets_.clear();
    cached_readings_ = 0;
    steps_.clear();
    charged_.clear();
    stacks_.clear();
    stack_numbers_.clear();
    masks_.clear();
    const uint32_t empty = number_of({});
    TT_ASSERT(empty == dead);
}

void Matcher::restart() {
    const ReadingSet readings = *sets_[current_].readings;
    const std::vector<StackNode> old = stacks_;
    reset();
    std::unordered_map<uint32_t, uint32_t> moved;
    // A stack's nodes are numbered from the bottom up.
    const auto move = [&](uint32_t top) {
        std::vector<uint32_t> way;
        for (uint32_t at = top; at != no_stack && !moved.contains(at); at = old[at].below)
            way.push_back(at);
        for (; !way.empty(); way.pop_back()) {
            const StackNode& node = old[way.back()];
            moved[way.back()] =
                push(node.back, node.below == no_stack ? no_stack : moved.at(node.below));
        }
        return top == no_stack ? no_stack : moved.at(top);
    };
    ReadingSet kept;
    for (const Reading& reading : readings) kept.push_back({reading.state, move(reading.stack)});
    std::ranges::sort(kept);
    current_ = number_of(std::move(kept));
}

uint32_t Matcher::push(uint32_t back, uint32_t below) {
    const auto [found, is_new] =
        stack_numbers_.try_emplace({back, below}, static_cast<uint32_t>(stacks_.size()));
    if (is_new) {
        const uint32_t depth = below == no_stack ? 1 : stacks_[below].depth + 1;
        stacks_.push_back({back, below, depth});
    }
    return found->second;
}

uint32_t Matcher::number_of(ReadingSet readings) {
    if (const auto found = set_numbers_.find(readings); found != set_numbers_.end())
        return found->second;
    if (sets_.size() >= cached_states_max ||
        cached_readings_ + readings.size() > cached_readings_max)
        return cache_full;
    cached_readings_ += readings.size();
    readings.shrink_to_fit();
    const auto number = static_cast<uint32_t>(sets_.size());
    const bool may_end = !readings.empty() && readings.back().state == whole_text;
    const auto added = set_numbers_.emplace(std::move(readings), number).first;
    sets_.push_back({&added->first, may_end});
    steps_.resize(steps_.size() + class_count_);
    charged_.resize(steps_.size());
    if (number == dead) std::ranges::fill(steps_, Step{.target = dead});
    return number;
}

/// The readings from which a byte is read next, and the end, that can be reached from those given.
uint32_t Matcher::close(ReadingSet open) {
    ReadingSet out;
    bool may_end = false;
    seen_.clear();
    while (!open.empty()) {
        const Reading reading = open.back();
        open.pop_back();
        if (!seen_.insert(uint64_t{reading.stack} << 32 | reading.state).second) continue;
        if (++cost_ > step_cost_max || out.size() > stacks_max) return too_complex;
        if (stacks_.size() > cached_stack_nodes_max) return cache_full;
        if (!grammar_->bytes(reading.state).empty()) out.push_back(reading);
        if (grammar_->is_end(reading.state)) {
            if (reading.stack == no_stack) {
                may_end = true;
            } else {
                const StackNode& top = stacks_[reading.stack];
                open.push_back({top.back, top.below});
            }
        }
        for (const uint32_t target : grammar_->jumps(reading.state))
            open.push_back({target, reading.stack});
        for (const Grammar::Call& call : grammar_->calls(reading.state)) {
            if (call.is_tail) {
                open.push_back({call.start, reading.stack});
            } else if (reading.stack == no_stack ||
                       stacks_[reading.stack].depth < stack_depth_max) {
                open.push_back({call.start, push(call.back, reading.stack)});
            }
        }
    }
    std::ranges::sort(out);
    if (may_end) out.push_back({whole_text, no_stack});
    return number_of(std::move(out));
}

Matcher::Step Matcher::find_step(uint32_t set, uint8_t byte) {
    ReadingSet open;
    cost_ = 1;
    for (const Reading& reading : *sets_[set].readings) {
        if (reading.state == whole_text) continue;
        for (const Grammar::ByteEdge& edge : grammar_->bytes(reading.state)) {
            ++cost_;
            if (edge.first <= byte && byte <= edge.last)
                open.push_back({edge.target, reading.stack});
        }
        if (cost_ > step_cost_max) return {.target = too_complex, .cost = cost_};
    }
    Step found{.target = dead};
    if (!open.empty()) found.target = close(std::move(open));
    found.cost = cost_;
    if (found.target < cache_full) steps_[step_index(set, byte)] = found;
    return found;
}

Result<void> Matcher::advance(std::string_view bytes) {
    for (const char c : bytes) {
        Step next = step(current_, static_cast<uint8_t>(c));
        if (next.target == cache_full) {
            restart();
            next = step(current_, static_cast<uint8_t>(c));
        }
        if (next.target >= cache_full) return complex("the text can be read in too many ways");
        if (next.target == dead) return fail(ErrorCode::grammar_stuck, "the text does not fit");
        current_ = next.target;
    }
    return {};
}

Matcher::Step Matcher::walk(const TokenTrie& trie, uint64_t cost_limit,
                            std::vector<uint64_t>& words) {
    const std::span<const TokenTrie::Node> nodes = trie.nodes();
    const std::span<const TokenId> tokens = trie.tokens();
    words.assign((trie.token_count() + 63) / 64, 0);
    way_.resize(trie.depth_max() + 1);
    way_[0] = current_;
    charged_.assign(steps_.size(), false);
    uint32_t cost = 0;
    for (size_t i = 0; i + 1 < nodes.size();) {
        const TokenTrie::Node& node = nodes[i];
        const uint32_t from = way_[node.depth - 1u];
        const Step next = step(from, node.byte);
        if (auto is_charged = charged_[step_index(from, node.byte)]; !is_charged) {
            is_charged = true;
            cost += next.cost;
        }
        if (cost > cost_limit) return {.target = too_complex, .cost = cost};
        if (next.target == dead) {
            i = node.next;
            continue;
        }
        if (next.target >= cache_full) return {.target = next.target, .cost = cost};
        way_[node.depth] = next.target;
        ++i;
        for (uint32_t at = node.tokens_begin; at < nodes[i].tokens_begin; ++at)
            words[tokens[at] / 64] |= uint64_t{1} << (tokens[at] % 64);
    }
    return {.target = current_, .cost = cost};
}

Result<std::span<const uint64_t>> Matcher::allowed(const TokenTrie& trie, MaskBudget& budget) {
    if (const auto known = masks_.find(current_); known != masks_.end())
        return std::span<const uint64_t>(known->second);
    std::vector<uint64_t> words;
    Step done = walk(trie, budget.limit(), words);
    budget.take(done.cost);
    if (done.target == cache_full) {
        restart();
        done = walk(trie, budget.limit(), words);
        budget.take(done.cost);
    }
    if (done.target >= cache_full) return complex("a text can go on in too many ways");
    if (masks_.size() >= cached_masks_max) masks_.clear();
    return std::span<const uint64_t>(masks_[current_] = std::move(words));
}

}  // namespace teetee::grammar
