// SPDX-License-Identifier: Apache-2.0
#include "pipeline/drafter.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace teetee::pipeline {

void Drafter::push(TokenId token) {
    uint32_t& last = last_[token];
    before_.push_back(last);
    text_.push_back(token);
    last = static_cast<uint32_t>(text_.size());
}

Drafter::Draft Drafter::draft(size_t count_max, double row_cost) const {
    if (text_.empty()) return {};
    size_t end = 0;
    size_t match = 0;
    size_t place = before_.back();
    for (size_t i = 0; i < places_max && place != 0 && match < match_max; ++i) {
        const size_t here = match_at(place);
        if (here > match) {
            match = here;
            end = place;
        }
        place = before_[place - 1];
    }
    Draft out{.match = match};
    if (match == 0) return out;
    // Tokens out of a pass with so many guesses, on average, and what the pass takes.
    double tokens = 1;
    double seconds = 1;
    double all_right = 1;
    while (out.tokens.size() < count_max) {
        const size_t i = out.tokens.size();
        all_right *= chance(match + i);
        if ((tokens + all_right) / (seconds + row_cost) <= tokens / seconds) break;
        tokens += all_right;
        seconds += row_cost;
        // What follows may run into the end of the text: then it repeats itself.
        out.tokens.push_back(end + i < text_.size() ? text_[end + i]
                                                    : out.tokens[end + i - text_.size()]);
    }
    out.rate = tokens / seconds;
    return out;
}

void Drafter::learn(const Draft& draft, size_t right) {
    TT_ASSERT(right <= draft.tokens.size());
    for (size_t i = 0; i < std::min(right + 1, draft.tokens.size()); ++i) {
        Rate& rate = rates_[rate_index(draft.match + i)];
        rate.right = 0.95 * rate.right + (i < right ? 1 : 0);
        rate.tried = 0.95 * rate.tried + 1;
    }
}

size_t Drafter::rate_index(size_t match) {
    if (match <= 2) return match - 1;
    return match <= 4 ? 2 : (match <= 8 ? 3 : 4);
}

double Drafter::chance(size_t match) const {
    const Rate& rate = rates_[rate_index(match)];
    return rate.right / rate.tried;
}

/// How many tokens before `end` are the text's last ones.
size_t Drafter::match_at(size_t end) const {
    size_t match = 0;
    while (match < match_max && match < end &&
           text_[end - 1 - match] == text_[text_.size() - 1 - match])
        ++match;
    return match;
}

void RowCost::add(size_t rows, double seconds) {
    const auto r = static_cast<double>(rows);
    weight_ = decay * weight_ + 1;
    rows_ = decay * rows_ + r;
    seconds_ = decay * seconds_ + seconds;
    rows_rows_ = decay * rows_rows_ + r * r;
    rows_seconds_ = decay * rows_seconds_ + r * seconds;
}

/// Level where the sizes were too much alike to tell a slope, or where that would fall.
RowCost::Line RowCost::line() const {
    if (weight_ == 0) return {};
    const double spread = weight_ * rows_rows_ - rows_ * rows_;
    const bool is_known = spread > 0.01 * weight_ * weight_;
    const double slope = is_known ? (weight_ * rows_seconds_ - rows_ * seconds_) / spread : 0;
    if (slope <= 0) return {.base = seconds_ / weight_};
    return {.base = (seconds_ - slope * rows_) / weight_, .slope = slope};
}

double RowCost::share() const {
    const auto [base, slope] = line();
    if (slope <= 0) return share_min;
    return base + slope <= 0 ? 1 : std::clamp(slope / (base + slope), share_min, 1.0);
}

double RowCost::seconds(size_t rows) const {
    const auto [base, slope] = line();
    return std::max(0.0, base + slope * static_cast<double>(rows));
}

size_t DraftPolicy::choose(size_t count_max, const Costs& costs) {
    const double pass = costs.pass.seconds(1);
    if (pass <= 0) return 0;
    const bool is_timed = costs.draft.seconds(1) > 0;
    size_t best = 0;
    double best_rate = costs.rate_without;
    double tokens = 1;
    double all_right = 1;
    for (size_t count = 1; count <= (is_timed ? count_max : std::min(count_max, untimed_max));
         ++count) {
        all_right *= chance(count - 1);
        tokens += all_right;
        const double rows = 1 + costs.pass.share() * static_cast<double>(count);
        const double rate = tokens / (rows + costs.draft.seconds(count) / pass);
        if (rate <= best_rate) continue;
        best_rate = rate;
        best = count;
    }
    if (best > 0 || count_max == 0) return best;
    seconds_without_ += pass;
    const double trial = costs.draft.seconds(1) + pass * costs.pass.share();
    if (seconds_without_ < without_per_try * trial) return 0;
    seconds_without_ = 0;
    return 1;
}

void DraftPolicy::learn(size_t drafted, size_t right) {
    TT_ASSERT(right <= drafted);
    for (size_t i = 0; i < std::min(right + 1, drafted); ++i) {
        Rate& rate = rates_[std::min(i, rates_.size() - 1)];
        rate.right = 0.95 * rate.right + (i < right ? 1 : 0);
        rate.tried = 0.95 * rate.tried + 1;
    }
}

double DraftPolicy::chance(size_t index) const {
    const Rate& rate = rates_[std::min(index, rates_.size() - 1)];
    return rate.right / rate.tried;
}

}  // namespace teetee::pipeline
