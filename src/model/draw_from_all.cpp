// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstring>

#include "model/candidates.hpp"
#include "tensor/math.hpp"

namespace teetee::model {
namespace {

// Candidates are told apart by their gap to the largest logit, in buckets so narrow that one is
// quickly put in order; the last bucket is for what weighs less than exp(-30) each.
constexpr size_t bucket_count = 256;
constexpr size_t far_bucket = bucket_count - 1;
constexpr double gap_min = -30.0;
constexpr double buckets_per_gap = static_cast<double>(far_bucket) / -gap_min;

/// A place in the ordered list of candidates: `sum` is the weight up to and with this one.
struct Place {
    size_t bucket = 0;
    size_t index = 0;  // in the ordered bucket
    double sum = 0;
    TokenId id = 0;
};

class Buckets {
  public:
    Buckets(std::span<const float> logits, float largest, const SamplingOptions& options,
            std::vector<uint8_t>& memory)
        : logits_(logits),
          largest_(largest),
          scale_(1.0 / static_cast<double>(options.temperature)),
          temperature_(options.temperature),
          bucket_of_(memory) {
        bucket_of_.resize(logits.size());
        size_t far_count = 0;
        // Two sums a bucket, so that neighbours in one bucket need not wait for each other.
        std::array<std::array<double, bucket_count>, 2> sums{};
        for (size_t i = 0; i < logits.size(); ++i) {
            const double gap = gap_of(i);
            size_t bucket = far_bucket;
            if (gap > gap_min) {
                bucket = static_cast<size_t>(gap * -buckets_per_gap);
                if (bucket >= far_bucket) bucket = far_bucket - 1;
                sums[i % 2][bucket] += exp_(gap);
            } else {
                ++far_count;
            }
            bucket_of_[i] = static_cast<uint8_t>(bucket);
        }
        for (size_t b = 0; b < far_bucket; ++b) {
            sums_[b] = sums[0][b] + sums[1][b];
            total_ += sums_[b];
        }
        // Rounding of a sum of 2^20 terms stays below 2^-33; the rest is exp(-30) = 9.4e-14 each.
        slack_ = 1e-9 * total_ + 1e-13 * static_cast<double>(far_count);
    }

    double total() const { return total_; }

    /// The first candidate at which the sum of weights exceeds `target`; nullopt if bounds leave
    /// open which one that is.
    std::optional<Place> first_above(double target) {
        double before = 0;
        for (size_t b = 0; b < far_bucket; ++b) {
            const double after = before + sums_[b];
            if (after <= target) {
                before = after;
                continue;
            }
            double sum = before;
            const std::vector<TokenId>& ids = ordered(b);
            for (size_t i = 0; i < ids.size(); ++i) {
                const double reached = sum + exp_(gap_of(ids[i]));
                if (reached > target) {
                    const bool is_certain =
                        reached - target > 2 * slack_ &&
                        (target - sum > 2 * slack_ || (b == first_bucket() && i == 0));
                    if (!is_certain) return std::nullopt;
                    return Place{b, i, reached, ids[i]};
                }
                sum = reached;
            }
            return std::nullopt;
        }
        return std::nullopt;
    }

    /// The last candidate whose weight is at least min_p; nullopt if it is too far off.
    std::optional<Place> last_with_weight(float min_p) {
        double before = 0;
        for (size_t b = 0; b < far_bucket; ++b) {
            // The widest gap of a bucket is its far end; a little more covers rounding.
            const double far_gap = -static_cast<double>(b + 1) / buckets_per_gap - 1e-9;
            if (exp_(far_gap) > min_p * (1 + 1e-9)) {
                before += sums_[b];
                continue;
            }
            // The boundary is here, or before the first candidate here: walk back to one that is.
            if (auto place = last_in(b, before, min_p)) return place;
            while (b > 0) {
                --b;
                before -= sums_[b];
                if (auto place = last_in(b, before, min_p)) return place;
            }
            return std::nullopt;
        }
        return std::nullopt;
    }

  private:
    double gap_of(size_t i) const {
        return (static_cast<double>(logits_[i]) - static_cast<double>(largest_)) * scale_;
    }
    size_t first_bucket() const { return 0; }

    const std::vector<TokenId>& ordered(size_t bucket) {
        ids_.clear();
        const auto wanted = static_cast<uint8_t>(bucket);
        const uint8_t* const end = bucket_of_.data() + bucket_of_.size();
        for (const uint8_t* at = bucket_of_.data(); at != end; ++at) {
            at =
                static_cast<const uint8_t*>(std::memchr(at, wanted, static_cast<size_t>(end - at)));
            if (at == nullptr) break;
            ids_.push_back(static_cast<TokenId>(at - bucket_of_.data()));
        }
        std::ranges::sort(ids_, ByLogit{logits_});
        return ids_;
    }

    std::optional<Place> last_in(size_t bucket, double before, float min_p) {
        std::optional<Place> last;
        const std::vector<TokenId>& ids = ordered(bucket);
        double sum = before;
        for (size_t i = 0; i < ids.size(); ++i) {
            // Exactly the test of draw().
            const double gap =
                (static_cast<double>(logits_[ids[i]]) - static_cast<double>(largest_)) /
                temperature_;
            const double weight = bucket == 0 && i == 0 ? 1.0 : tensor::exp_f64(gap);
            if (weight < min_p) break;
            sum += weight;
            last = Place{bucket, i, sum, ids[i]};
        }
        return last;
    }

    const tensor::ExpTable& exp_ = tensor::ExpTable::instance();
    std::span<const float> logits_;
    float largest_;
    double scale_;
    float temperature_;
    std::vector<uint8_t>& bucket_of_;
    std::vector<TokenId> ids_;
    std::array<double, bucket_count> sums_{};
    double total_ = 0;
    double slack_ = 0;
};

}  // namespace

std::optional<TokenId> draw_from_all(std::span<const float> logits, const SamplingOptions& options,
                                     Position position, std::vector<uint8_t>& buckets_memory) {
    const float largest = largest_of(logits);
    if (!std::isfinite(largest)) return std::nullopt;
    Buckets buckets(logits, largest, options, buckets_memory);
    double mass = buckets.total();
    std::optional<Place> end;
    if (options.top_p < 1.0F) {
        // The prefix that reaches top_p ends where the sum first exceeds it: the bounds exclude
        // that it is met exactly.
        end = buckets.first_above(options.top_p * mass);
        if (!end) return std::nullopt;
        mass = end->sum;
    }
    if (options.min_p > 0.0F) {
        const auto likely = buckets.last_with_weight(options.min_p);
        if (!likely) return std::nullopt;
        if (!end || likely->bucket < end->bucket ||
            (likely->bucket == end->bucket && likely->index < end->index)) {
            end = likely;
            mass = end->sum;
        }
    }
    const auto chosen = buckets.first_above(uniform_of(options.seed, position) * mass);
    if (!chosen) return std::nullopt;
    return chosen->id;
}

}  // namespace teetee::model
