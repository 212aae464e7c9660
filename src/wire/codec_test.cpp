// SPDX-License-Identifier: Apache-2.0
#include "wire/codec.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "wire.pb.h"

namespace teetee::wire {
namespace {

RequestId request_id(uint8_t first) {
    RequestId id;
    id.bytes[0] = first;
    id.bytes[15] = 0xff;
    return id;
}

Forward example_forward() {
    return {.batch_id = 7,
            .rows = {{request_id(1), 2, 40, false}, {request_id(1), 2, 41, true}},
            .width = 3,
            .activations = Bytes(2 * 3 * 4, 0x5a)};
}

Probe example_probe() {
    Probe probe{.id = 3, .want_evidence = true, .path = {{1, 2}, {9}}};
    probe.hops.push_back({.node_id = {1, 2},
                          .layers = {0, 5},
                          .sequences_free = 4,
                          .positions_free = uint64_t{1} << 40,
                          .sequences_max = 5,
                          .positions_max = uint64_t{1} << 41,
                          .formats = 7,
                          .statement = {1, 2, 3},
                          .quote = {4, 5}});
    probe.hops.push_back(
        {.node_id = {9}, .layers = {5, 6}, .sequences_free = 0, .positions_free = 0, .quote = {6}});
    return probe;
}

Record example_record() {
    return {.request = request_id(5),
            .epoch = 3,
            .layers = {4, 8},
            .sampling = {1},
            .input_begin = 32,
            .input_end = 34,
            .input = {2},
            .output_begin = 32,
            .output = {{3}, {4}},
            .signature = {5}};
}

Quote example_quote() {
    return {.request = request_id(6), .layers = {4, 8}, .quote = {1, 2, 3}};
}

SignOff example_sign_off() {
    return {.ask = uint64_t{1} << 40, .node = {1, 2}, .body = {1, 2, 3}};
}

constexpr float infinity = std::numeric_limits<float>::infinity();

SamplingOptions full_sampling() {
    return {.temperature = 0.7F,
            .min_p = 0.05F,
            .typical_p = 0.9F,
            .repetition_penalty = 1.1F,
            .repetition_window = 64,
            .presence_penalty = -0.5F,
            .frequency_penalty = 0.25F,
            .logit_bias = {{0, -100}, {7, 3.5F}},
            .logprobs = true,
            .top_logprobs = 20,
            .constraint = {ConstraintKind::gbnf, "root ::= \"a\""},
            .answer_given = 99,
            .activations = ActivationFormat::f16,
            .pooling = Pooling::last};
}

Forward forward_with_tokens() {
    Forward forward = example_forward();
    forward.rows[0].token = 0;
    forward.rows[1].token = 31999;
    return forward;
}

std::vector<Message> examples() {
    Forward empty;
    empty.batch_id = std::numeric_limits<uint64_t>::max();
    empty.width = 1;
    return {
        Open{request_id(1), 1, {.temperature = 0.7F, .top_k = 40, .top_p = 0.9F, .seed = 99}, 512},
        Open{request_id(1), 1, full_sampling(), 512, 100},
        Open{},
        example_forward(),
        forward_with_tokens(),
        Forward{.batch_id = 8,
                .rows = example_forward().rows,
                .width = 40,
                .activations = Bytes(2 * (40 + 8), 1),
                .format = ActivationFormat::q8},
        empty,
        Tokens{7,
               {{request_id(1), 2, 41, 31999, TokenLogprobs{-0.5F, {{31999, -0.5F}, {7, -1}}}},
                {request_id(1), 2, 42, 3, std::nullopt},
                {request_id(2), 0, 0, 0, TokenLogprobs{-infinity, {}}}}},
        Tokens{7, {{request_id(1), 2, 41, 31999}, {request_id(2), 0, 0, 0}}},
        Tokens{},
        Close{{request_id(1), request_id(2)}},
        Close{},
        Open{request_id(1), 1, {}, 512, 100, {UINT64_MAX, 96}},
        Retain{request_id(1), 3, {0, 1, 0, 2}},
        Retain{request_id(1), 3, {7, uint64_t{1} << 63, 2, 9}},
        Evict{true, {}},
        Evict{false, {1, UINT64_MAX, 300}},
        Failed{request_id(3), 4, ErrorCode::kv_cache_full, 12},
        Open{.request = request_id(1), .positions_max = 4, .salt = {1, 2, 3}},
        Sign{request_id(1), 2, 77},
        example_record(),
        Record{.layers = {0, 1}},
        Attest{request_id(6), {7, 8}, {{1}, {2}}},
        Attest{},
        example_quote(),
        Quote{.request = request_id(6), .layers = {4, 8}, .failure = ErrorCode::overloaded},
        example_sign_off(),
        SignedOff{.ask = 7, .node = {1, 2}, .signature = {3}},
        SignedOff{},
        SignedOff{.ask = 7, .node = {1, 2}, .failure = ErrorCode::settlement_rejected},
        example_probe(),
        Probe{},
        Leave{},
        Lost{{1, 2, 3}},
        Adverts{{{{1, 2, 3}, {4}}, {{}, {}}}},
        Adverts{},
        Open{.request = request_id(1),
             .epoch = 2,
             .positions_max = 40,
             .resumed_positions = 30,
             .resumes = {Resume::keep, Resume::replay, Resume::compute}},
        Replay{9, example_forward().rows},
        Replay{9, forward_with_tokens().rows},
        Replay{},
    };
}

constexpr RouteId example_route{{1, 2, 3}, 77};

Bytes encode(const Message& message) {
    return encode(Frame{example_route, message});
}

/// The header's body, and behind it the route that every header has.
Bytes frame_of(const std::string& body, ByteView payload = {}) {
    ByteWriter frame;
    frame.u16(frame_version);
    frame.length_prefixed(as_bytes(body + "\xa2\x01\x14" + std::string(20, '\0')));
    frame.bytes(payload);
    return frame.take();
}

ErrorCode refusal(const Bytes& frame, const Limits& limits = {}) {
    const auto message = decode(frame, limits);
    EXPECT_FALSE(message);
    return message ? ErrorCode{} : message.error().code;
}

TEST(codec, round_trips_every_message) {
    for (const Message& message : examples()) {
        const Bytes frame = encode(message);
        const auto back = decode(frame, {});
        ASSERT_TRUE(back) << back.error().message();
        EXPECT_EQ(back->message, message);
        EXPECT_EQ(back->route, example_route);
    }
}

TEST(codec, writes_version_and_header_length_first_and_the_route_last) {
    EXPECT_EQ(to_hex(encode(Frame{{{0xab}, 3}, Tokens{7, {}}})),
              "0900"
              "1e000000"
              "1a020807"
              "a20114ab00000000000000000000000000000000000000"
              "a80103");
}

TEST(codec, rejects_every_truncation_and_every_extension) {
    for (const Message& message : examples()) {
        Bytes frame = encode(message);
        for (size_t length = 0; length < frame.size(); ++length) {
            EXPECT_FALSE(decode(ByteView(frame).first(length), {})) << length;
        }
        frame.push_back(0);
        EXPECT_EQ(refusal(frame), ErrorCode::frame_malformed);
    }
}

TEST(codec, accepts_a_changed_byte_only_as_another_message) {
    for (const Message& message : examples()) {
        const Bytes frame = encode(message);
        for (size_t at = 0; at < frame.size(); ++at) {
            Bytes changed = frame;
            changed[at] ^= 0x41;
            const auto back = decode(changed, {});
            if (!back) continue;
            EXPECT_EQ(encode(*back), changed) << at;
        }
    }
}

TEST(codec, rejects_another_version) {
    Bytes frame = encode(Tokens{});
    frame[0] = 1;
    EXPECT_EQ(refusal(frame), ErrorCode::version_unsupported);
}

TEST(codec, rejects_an_unknown_kind_of_message) {
    EXPECT_EQ(refusal(frame_of("")), ErrorCode::version_unsupported);
    EXPECT_EQ(refusal(frame_of("\x9a\x01\x02\x08\x07")), ErrorCode::version_unsupported);
}

TEST(codec, rejects_what_is_not_canonical) {
    const std::string tokens("\x1a\x02\x08\x07", 4);
    ASSERT_TRUE(decode(frame_of(tokens), {}));
    EXPECT_EQ(refusal(frame_of(tokens + tokens)), ErrorCode::frame_malformed);
    EXPECT_EQ(refusal(frame_of(tokens + std::string("\x78\x01", 2))), ErrorCode::frame_malformed);
    // An unknown field inside, an over-long varint, a default that is written out.
    EXPECT_EQ(refusal(frame_of(std::string("\x1a\x04\x08\x07\x78\x01", 6))),
              ErrorCode::frame_malformed);
    EXPECT_EQ(refusal(frame_of(std::string("\x1a\x03\x08\x87\x00", 5))),
              ErrorCode::frame_malformed);
    EXPECT_EQ(refusal(frame_of(std::string("\x1a\x02\x08\x00", 4))), ErrorCode::frame_malformed);
    EXPECT_EQ(refusal(frame_of("\xff\xff\xff")), ErrorCode::frame_malformed);
}

TEST(codec, rejects_activations_that_do_not_fit_the_rows) {
    const Bytes frame = encode(example_forward());
    EXPECT_EQ(refusal(Bytes(frame.begin(), frame.end() - 4)), ErrorCode::frame_malformed);

    proto::Header header;
    header.mutable_forward()->set_batch_id(1);
    EXPECT_EQ(refusal(frame_of(header.SerializeAsString())), ErrorCode::frame_malformed);
    header.mutable_forward()->set_width(65537);
    EXPECT_EQ(refusal(frame_of(header.SerializeAsString())), ErrorCode::limit_exceeded);
}

TEST(codec, rejects_ids_of_another_length) {
    proto::Header header;
    header.mutable_close()->add_requests("short");
    EXPECT_EQ(refusal(frame_of(header.SerializeAsString())), ErrorCode::frame_malformed);
    header.mutable_close()->set_requests(0, std::string(17, 'x'));
    EXPECT_EQ(refusal(frame_of(header.SerializeAsString())), ErrorCode::frame_malformed);
    header.mutable_probe()->add_path(std::string(20, 'x'));
    auto& hop = *header.mutable_probe()->add_hops();
    hop.set_node_id(std::string(19, 'x'));
    hop.set_layer_end(1);
    EXPECT_EQ(refusal(frame_of(header.SerializeAsString())), ErrorCode::frame_malformed);
}

TEST(codec, rejects_sampling_options_out_of_range) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const float temperature : {nan, -1.0F, std::numeric_limits<float>::infinity()}) {
        EXPECT_EQ(refusal(encode(Open{{}, 0, {.temperature = temperature}, 1})),
                  ErrorCode::invalid_argument);
    }
    for (const float top_p : {nan, 0.0F, 1.5F}) {
        EXPECT_EQ(refusal(encode(Open{{}, 0, {.top_p = top_p}, 1})), ErrorCode::invalid_argument);
    }
    const SamplingOptions wrong[] = {
        {.min_p = nan},
        {.min_p = 1.1F},
        {.typical_p = 0},
        {.repetition_penalty = 0},
        {.presence_penalty = 2.5F},
        {.frequency_penalty = -infinity},
        {.logit_bias = {{3, 1}, {3, 1}}},
        {.logit_bias = {{4, 1}, {3, 1}}},
        {.logit_bias = {{3, nan}}},
        {.top_logprobs = 1},
        {.logprobs = true, .top_logprobs = 21},
        {.constraint = {ConstraintKind::none, "x"}},
        {.constraint = {ConstraintKind::gbnf, ""}},
        {.constraint = {ConstraintKind::json_schema, "\xff"}},
        {.constraint = {ConstraintKind::json_object, "{}"}},
        {.constraint = {ConstraintKind::gbnf, std::string(constraint_bytes_max + 1, 'x')}}};
    for (const SamplingOptions& sampling : wrong) {
        EXPECT_EQ(refusal(encode(Open{{}, 0, sampling, 1})), ErrorCode::invalid_argument)
            << &sampling - wrong;
    }
    SamplingOptions biased;
    biased.logit_bias.resize(logit_bias_count_max + 1);
    EXPECT_EQ(refusal(encode(Open{{}, 0, biased, 1})), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(Open{{}, 0, {.constraint = {static_cast<ConstraintKind>(4), {}}}, 1})),
              ErrorCode::frame_malformed);
    EXPECT_EQ(refusal(encode(Open{{}, 0, {}, 9, 10})), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(Open{{}, 0, {.answer_given = 5}, 9, 4})), ErrorCode::limit_exceeded);
}

TEST(codec, rejects_activations_of_another_length_than_their_format_has) {
    Forward forward = example_forward();
    forward.format = ActivationFormat::f16;
    forward.activations.resize(2 * 3 * 2);
    Bytes frame = encode(forward);
    EXPECT_TRUE(decode(frame, {}));
    frame.push_back(0);
    EXPECT_EQ(decode(frame, {}).error().code, ErrorCode::frame_malformed);
    forward.format = static_cast<ActivationFormat>(3);
    // Its rows have the length of the last format.
    forward.activations.resize(2 * row_bytes(forward.format, 3));
    EXPECT_EQ(refusal(encode(forward)), ErrorCode::frame_malformed);
    EXPECT_EQ(refusal(encode(Open{.sampling = {.activations = static_cast<ActivationFormat>(3)}})),
              ErrorCode::frame_malformed);
}

TEST(codec, rejects_a_resumed_request_that_says_only_half_of_it) {
    const Open good{.positions_max = 9, .resumed_positions = 9, .resumes = {Resume::keep}};
    EXPECT_TRUE(decode(encode(good), {}));
    Open bad = good;
    bad.resumes.clear();
    EXPECT_EQ(refusal(encode(bad)), ErrorCode::frame_malformed);
    bad = good;
    bad.resumed_positions = 0;
    EXPECT_EQ(refusal(encode(bad)), ErrorCode::frame_malformed);
    bad = good;
    bad.start = {7, 4};
    EXPECT_EQ(refusal(encode(bad)), ErrorCode::frame_malformed);
    bad = good;
    bad.resumes[0] = static_cast<Resume>(3);
    EXPECT_EQ(refusal(encode(bad)), ErrorCode::frame_malformed);
    bad = good;
    bad.resumed_positions = 10;
    EXPECT_EQ(refusal(encode(bad)), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(good), {.hops_max = 0}), ErrorCode::limit_exceeded);
    Replay replay{1, {{request_id(1), 1, 0}, {request_id(1), 2, 1}}};
    EXPECT_EQ(refusal(encode(replay)), ErrorCode::frame_malformed) << "of two epochs";
    replay.rows[1] = {request_id(2), 1, 1};
    EXPECT_EQ(refusal(encode(replay)), ErrorCode::frame_malformed);
    EXPECT_EQ(refusal(encode(replay), {.rows_max = 1}), ErrorCode::limit_exceeded);
}

TEST(codec, rejects_counts_above_their_limits) {
    EXPECT_EQ(refusal(encode(example_forward()), {.rows_max = 1}), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(example_forward()), {.width_max = 2}), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(example_forward()), {.frame_bytes_max = 40}),
              ErrorCode::frame_too_large);
    EXPECT_EQ(refusal(encode(example_forward()), {.header_bytes_max = 10}),
              ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(Tokens{1, {{}, {}}}), {.rows_max = 1}), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(Close{{{}, {}}}), {.requests_max = 1}), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(Open{{}, 0, {}, 9}), {.positions_max = 8}), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(Sign{{}, 0, 9}), {.positions_max = 8}), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(example_record()), {.positions_max = 33}), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(example_record()), {.layers_max = 7}), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(Attest{{}, {}, {{1}, {2}}}), {.hops_max = 1}),
              ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(example_quote()), {.layers_max = 7}), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(example_quote()), {.quote_bytes_max = 2}), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(example_sign_off()), {.sign_off_bytes_max = 2}),
              ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(example_probe()), {.hops_max = 1}), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(example_probe()), {.statement_bytes_max = 2}),
              ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(example_probe()), {.quote_bytes_max = 1}), ErrorCode::limit_exceeded);
    const Adverts adverts{{{{1, 2, 3}, {4}}, {{5}, {}}}};
    EXPECT_EQ(refusal(encode(adverts), {.adverts_max = 1}), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(adverts), {.advert_bytes_max = 2}), ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(example_probe()), {.layers_max = 5}), ErrorCode::limit_exceeded);
}

TEST(codec, default_limits_hold_the_largest_messages) {
    Forward forward{.batch_id = std::numeric_limits<uint64_t>::max(),
                    .width = 1,
                    .activations = Bytes(size_t{4096} * 4)};
    Tokens tokens;
    Close close;
    for (size_t i = 0; i < 4096; ++i) {
        forward.rows.push_back({request_id(1), UINT32_MAX, UINT32_MAX, true, UINT32_MAX});
        tokens.rows.push_back({request_id(1), UINT32_MAX, UINT32_MAX, UINT32_MAX,
                               TokenLogprobs{-1, std::vector<TokenLogprob>(top_logprobs_max)}});
        close.requests.push_back(request_id(1));
    }
    const Evict evict{false, std::vector<PrefixId>(4096, UINT64_MAX)};
    Open open{request_id(1), UINT32_MAX, full_sampling(), 1u << 22, 1u << 22};
    open.sampling.constraint.source = std::string(constraint_bytes_max, 'x');
    open.sampling.logit_bias.clear();
    for (size_t i = 0; i < logit_bias_count_max; ++i) {
        open.sampling.logit_bias.push_back({UINT32_MAX - 2000 + static_cast<TokenId>(i), -100});
    }
    for (const Message& message :
         {Message(forward), Message(tokens), Message(close), Message(open), Message(evict),
          Message(SignOff{UINT64_MAX, {9}, Bytes(Limits{}.sign_off_bytes_max)})}) {
        const auto back = decode(encode(message), {});
        ASSERT_TRUE(back) << back.error().message();
        EXPECT_EQ(back->message, message);
    }
}

TEST(codec, rejects_logprobs_that_are_none) {
    const auto tokens = [](TokenLogprobs logprobs) {
        return Message(Tokens{1, {{request_id(1), 0, 0, 5, std::move(logprobs)}}});
    };
    for (const float wrong : {0.5F, std::numeric_limits<float>::quiet_NaN(), infinity}) {
        EXPECT_EQ(refusal(encode(tokens({wrong, {}}))), ErrorCode::frame_malformed);
        EXPECT_EQ(refusal(encode(tokens({-1, {{3, wrong}}}))), ErrorCode::frame_malformed);
    }
    TokenLogprobs many{-1, {}};
    many.top.resize(top_logprobs_max + 1);
    EXPECT_EQ(refusal(encode(tokens(many))), ErrorCode::limit_exceeded);
}

TEST(codec, carries_embeddings_and_rejects_what_is_none) {
    const auto tokens = [](std::vector<float> embedding, std::optional<TokenLogprobs> logprobs) {
        return Tokens{1,
                      {{request_id(1), 2, 3, 5, std::move(logprobs), std::move(embedding)},
                       {request_id(2), 2, 3, 6, std::nullopt, {}}}};
    };
    const Tokens whole = tokens({0.5F, -2.0F, 0.0F}, TokenLogprobs{-1, {{3, -2}}});
    const auto back = decode(encode(whole), {});
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(back->message, Message(whole));
    for (const float wrong : {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity})
        EXPECT_EQ(refusal(encode(tokens({1, wrong}, {}))), ErrorCode::frame_malformed);
    Bytes cut = encode(tokens({1, 2}, {}));
    cut.resize(cut.size() - 1);
    EXPECT_EQ(refusal(cut), ErrorCode::frame_malformed);
    EXPECT_EQ(refusal(encode(tokens(std::vector<float>(Limits{}.width_max + 1), {}))),
              ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(Open{{}, 0, {.pooling = static_cast<Pooling>(3)}, 1})),
              ErrorCode::frame_malformed);
}

TEST(codec, rejects_prefixes_that_are_none) {
    SamplingOptions with_history;
    with_history.presence_penalty = 1;
    const Open opens[] = {{request_id(1), 1, {}, 64, 40, {7, 0}},
                          {request_id(1), 1, {}, 64, 40, {0, 32}},
                          {request_id(1), 1, {}, 64, 40, {7, 64}},
                          {request_id(1), 1, with_history, 64, 40, {7, 32}}};
    for (const Open& open : opens)
        EXPECT_EQ(refusal(encode(open)), ErrorCode::frame_malformed) << &open - opens;
    const PrefixSpan spans[] = {{0, 1, 0, 0}, {0, 1, 2, 1}, {0, 0, 0, 1},
                                {0, 1, 1, 2}, {7, 8, 0, 1}, {7, UINT64_MAX, 1, 2}};
    for (const PrefixSpan& span : spans)
        EXPECT_EQ(refusal(encode(Retain{request_id(1), 1, span})), ErrorCode::frame_malformed)
            << &span - spans;
    EXPECT_EQ(refusal(encode(Retain{request_id(1), 1, {0, 1, 0, 9}}), {.positions_max = 8}),
              ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(Evict{false, {1, 2}}), {.prefixes_max = 1}),
              ErrorCode::limit_exceeded);
    EXPECT_EQ(refusal(encode(Evict{true, {1}})), ErrorCode::frame_malformed);
    EXPECT_EQ(refusal(encode(Evict{})), ErrorCode::frame_malformed);
    proto::Header header;
    header.mutable_retain()->set_request("short");
    EXPECT_EQ(refusal(frame_of(header.SerializeAsString())), ErrorCode::frame_malformed);
}

TEST(codec, rejects_a_frame_without_a_route) {
    for (const std::string& entry : {std::string(), std::string(19, 'x'), std::string(21, 'x')}) {
        proto::Header header;
        header.mutable_leave();
        header.set_entry(entry);
        ByteWriter frame;
        frame.u16(frame_version);
        frame.length_prefixed(as_bytes(header.SerializeAsString()));
        EXPECT_EQ(refusal(frame.take()), ErrorCode::frame_malformed);
    }
}

TEST(codec, rejects_a_probe_with_more_hops_than_its_path) {
    Probe probe = example_probe();
    probe.path.pop_back();
    EXPECT_EQ(refusal(encode(probe)), ErrorCode::frame_malformed);
    proto::Header header;
    header.mutable_probe()->add_path("short");
    EXPECT_EQ(refusal(frame_of(header.SerializeAsString())), ErrorCode::frame_malformed);
}

TEST(codec, rejects_a_hop_without_layers_and_evidence_nobody_asked_for) {
    Probe probe = example_probe();
    probe.hops[0].layers = {5, 5};
    EXPECT_EQ(refusal(encode(probe)), ErrorCode::frame_malformed);
    probe = example_probe();
    probe.want_evidence = false;
    EXPECT_EQ(refusal(encode(probe)), ErrorCode::frame_malformed);
}

TEST(codec, rejects_a_quote_that_is_neither_one_nor_a_failure) {
    Quote quote = example_quote();
    quote.failure = ErrorCode::overloaded;
    EXPECT_EQ(refusal(encode(quote)), ErrorCode::frame_malformed);
    quote.failure.reset();
    quote.quote.clear();
    EXPECT_EQ(refusal(encode(quote)), ErrorCode::frame_malformed);
    quote = example_quote();
    quote.layers = {8, 8};
    EXPECT_EQ(refusal(encode(quote)), ErrorCode::frame_malformed);
    proto::Header header;
    header.mutable_attest()->set_request(std::string(16, 'x'));
    for (const size_t nonce_bytes : {0u, 31u, 33u}) {
        header.mutable_attest()->set_nonce(std::string(nonce_bytes, 'x'));
        EXPECT_EQ(refusal(frame_of(header.SerializeAsString())), ErrorCode::frame_malformed);
    }
    header.mutable_attest()->set_nonce(std::string(32, 'x'));
    header.mutable_attest()->add_statements(std::string(31, 'x'));
    EXPECT_EQ(refusal(frame_of(header.SerializeAsString())), ErrorCode::frame_malformed);
}

TEST(codec, rejects_a_sign_off_of_nothing_and_an_answer_that_is_none) {
    SignOff ask = example_sign_off();
    ask.body.clear();
    EXPECT_EQ(refusal(encode(ask)), ErrorCode::frame_malformed);
    proto::Header asked;
    asked.mutable_sign_off()->set_body_bytes(1);
    for (const size_t id_bytes : {0u, 19u, 21u}) {
        asked.mutable_sign_off()->set_node_id(std::string(id_bytes, 'x'));
        EXPECT_EQ(refusal(frame_of(asked.SerializeAsString(), Bytes{1})),
                  ErrorCode::frame_malformed);
    }
    asked.mutable_sign_off()->set_node_id(std::string(20, 'x'));
    EXPECT_TRUE(decode(frame_of(asked.SerializeAsString(), Bytes{1}), {}));
    EXPECT_EQ(refusal(frame_of(asked.SerializeAsString())), ErrorCode::frame_malformed);
    proto::Header answer;
    answer.mutable_signed_off()->set_node_id(std::string(20, 'x'));
    for (const size_t signature_bytes : {0u, 64u, 66u}) {
        answer.mutable_signed_off()->set_signature(std::string(signature_bytes, 'x'));
        EXPECT_EQ(refusal(frame_of(answer.SerializeAsString())), ErrorCode::frame_malformed);
    }
    answer.mutable_signed_off()->set_signature(std::string(65, 'x'));
    EXPECT_TRUE(decode(frame_of(answer.SerializeAsString()), {}));
    answer.mutable_signed_off()->set_failure(static_cast<uint32_t>(ErrorCode::overloaded));
    EXPECT_EQ(refusal(frame_of(answer.SerializeAsString())), ErrorCode::frame_malformed);
    answer.mutable_signed_off()->clear_signature();
    EXPECT_TRUE(decode(frame_of(answer.SerializeAsString()), {}));
    answer.mutable_signed_off()->set_node_id("short");
    EXPECT_EQ(refusal(frame_of(answer.SerializeAsString())), ErrorCode::frame_malformed);
}

TEST(codec, rejects_an_unknown_error_code) {
    for (const uint32_t code : {0u, 599u, 0x10000u + 600u}) {
        proto::Header signed_off;
        signed_off.mutable_signed_off()->set_node_id(std::string(20, 'x'));
        signed_off.mutable_signed_off()->set_failure(code);
        EXPECT_EQ(refusal(frame_of(signed_off.SerializeAsString())), ErrorCode::frame_malformed);
        proto::Header quote;
        quote.mutable_quote()->set_request(std::string(16, 'x'));
        quote.mutable_quote()->set_layer_end(1);
        quote.mutable_quote()->set_failure(code);
        EXPECT_EQ(refusal(frame_of(quote.SerializeAsString())), ErrorCode::frame_malformed);
        proto::Header header;
        header.mutable_failed()->set_request(std::string(16, 'x'));
        header.mutable_failed()->set_code(code);
        EXPECT_EQ(refusal(frame_of(header.SerializeAsString())), ErrorCode::frame_malformed);
    }
}

}  // namespace
}  // namespace teetee::wire
