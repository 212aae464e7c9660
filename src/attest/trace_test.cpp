// SPDX-License-Identifier: Apache-2.0
#include "attest/trace.hpp"

#include <functional>
#include <set>

#include <gtest/gtest.h>

namespace teetee::attest {
namespace {

const TraceSalt salt = {1, 2, 3};

TEST(trace, the_sampling_digest_is_over_every_option) {
    const std::function<void(SamplingOptions&)> changes[] = {
        [](SamplingOptions&) {},
        [](SamplingOptions& o) { o.temperature += 1; },
        [](SamplingOptions& o) { o.top_k += 1; },
        [](SamplingOptions& o) { o.top_p /= 2; },
        [](SamplingOptions& o) { o.seed += 1; },
        [](SamplingOptions& o) { o.min_p += 0.5F; },
        [](SamplingOptions& o) { o.typical_p /= 2; },
        [](SamplingOptions& o) { o.repetition_penalty += 1; },
        [](SamplingOptions& o) { o.repetition_window += 1; },
        [](SamplingOptions& o) { o.presence_penalty += 1; },
        [](SamplingOptions& o) { o.frequency_penalty += 1; },
        [](SamplingOptions& o) { o.logit_bias = {{.token = 1, .bias = 2}}; },
        [](SamplingOptions& o) { o.logit_bias = {{.token = 2, .bias = 2}}; },
        [](SamplingOptions& o) { o.logit_bias = {{.token = 1, .bias = 1}}; },
        [](SamplingOptions& o) { o.logprobs = !o.logprobs; },
        [](SamplingOptions& o) { o.top_logprobs += 1; },
        [](SamplingOptions& o) { o.constraint.kind = ConstraintKind::json_object; },
        [](SamplingOptions& o) { o.constraint.source = "root ::= \"a\""; },
        [](SamplingOptions& o) { o.answer_given += 1; },
        [](SamplingOptions& o) { o.activations = ActivationFormat::q8; },
    };
    std::set<Digest> digests;
    for (const auto& change : changes) {
        SamplingOptions options;
        change(options);
        EXPECT_TRUE(digests.insert(sampling_digest(salt, 4, options)).second);
    }
    EXPECT_TRUE(digests.insert(sampling_digest(salt, 5, {})).second);
    EXPECT_TRUE(digests.insert(sampling_digest({}, 4, {})).second);
}

TEST(trace, leaves_differ_by_salt_position_contents_and_kind) {
    const ByteArray<4> row = {7, 0, 0, 0};
    const ByteArray<4> other_row = {8, 0, 0, 0};
    const std::set<Digest> leaves = {row_leaf(salt, 1, row), row_leaf({}, 1, row),
                                     row_leaf(salt, 2, row), row_leaf(salt, 1, other_row),
                                     token_leaf(salt, 1, 7), token_leaf({}, 1, 7),
                                     token_leaf(salt, 2, 7), token_leaf(salt, 1, 8)};
    EXPECT_EQ(leaves.size(), 8u);
}

TEST(trace, a_digest_is_over_the_leaves_up_to_its_end) {
    const Trace trace{3, {Digest{1}, Digest{2}, Digest{3}}};
    EXPECT_EQ(digest_of(trace, 5).end, 5u);
    EXPECT_EQ(digest_of(trace, 5), digest_of(Trace{3, {Digest{1}, Digest{2}}}, 5));
    const std::set<Digest> digests = {
        digest_of(trace, 3).digest, digest_of(trace, 5).digest, digest_of(trace, 6).digest,
        digest_of(Trace{4, trace.leaves}, 7).digest,
        digest_of(Trace{3, {Digest{2}, Digest{1}, Digest{3}}}, 6).digest};
    EXPECT_EQ(digests.size(), 5u);
}

}  // namespace
}  // namespace teetee::attest
