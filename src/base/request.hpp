// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>

#include "base/bytes.hpp"

namespace teetee {

using Digest = ByteArray<32>;

/// Index into a model's vocabulary.
using TokenId = uint32_t;

/// Place of a token in its sequence, from 0. Position belongs to the request, never to a
/// connection.
using Position = uint32_t;

/// Version of a request's route; raised when a stage is replaced.
using Epoch = uint32_t;

/// Chosen at random by the entry; names a request on every stage of its route.
struct RequestId {
    ByteArray<16> bytes{};
    auto operator<=>(const RequestId&) const = default;
};

/// The layers [begin, end) of a model.
struct LayerRange {
    uint32_t begin = 0;
    uint32_t end = 0;
    uint32_t count() const { return end - begin; }
    auto operator<=>(const LayerRange&) const = default;
};

/// How the tail picks a token from the logits. temperature 0 is greedy; top_k 0 and top_p 1 are
/// off.
struct SamplingOptions {
    float temperature = 0.0F;
    uint32_t top_k = 0;
    float top_p = 1.0F;
    uint64_t seed = 0;
    auto operator<=>(const SamplingOptions&) const = default;
};

/// Error: invalid_argument naming the field, unless 0 <= temperature <= 100 and 0 < top_p <= 1
/// (so neither is NaN).
Result<void> validate(const SamplingOptions& options);

}  // namespace teetee
